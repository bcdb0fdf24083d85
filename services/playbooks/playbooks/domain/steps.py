"""The steps of a playbook: each has a name and does one thing. Some hold further steps: a playbook is a tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from playbooks.domain.actions import Notify, Recipient, Task, Until, Webhook
from playbooks.domain.rules import (
    STRICT,
    Place,
    require,
    require_condition,
    require_duration,
    require_name,
    require_text,
)

StepKind = Literal[
    "notify", "wait", "wait_until", "branch", "task", "webhook", "split", "approve", "end"
]  # fmt: skip
KINDS: tuple[StepKind, ...] = (
    "notify", "wait", "wait_until", "branch", "task", "webhook", "split", "approve", "end",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """Goes on as soon as the condition holds. Once `timeout` has passed without that, `otherwise` comes first."""

    __pydantic_config__ = STRICT

    condition: str
    timeout: str
    otherwise: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        require_condition(self.condition, "condition")
        require_duration(self.timeout, "timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way that is taken where its condition holds."""

    __pydantic_config__ = STRICT

    name: str
    when: str
    steps: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        require_condition(self.when, "when")
        require(self.name != OTHERWISE, f"{OTHERWISE} is the name of the way when no case holds", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The first case whose condition holds, else `otherwise`; then the step after the branch."""

    __pydantic_config__ = STRICT

    cases: tuple[Case, ...]
    otherwise: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.cases), "at least one case is needed", "cases")
        _require_unique([each.name for each in self.cases], "cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way of a split; `share` is its weight beside the others'."""

    __pydantic_config__ = STRICT

    name: str
    share: float = 1.0
    steps: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        require(0 < self.share < 1e6, "must be above 0", "share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """An experiment: each account goes one of the ways, drawn once by its id; then the step after the split."""

    __pydantic_config__ = STRICT

    paths: tuple[Path, ...]

    def __post_init__(self) -> None:
        require(len(self.paths) >= 2, "at least two paths are needed", "paths")
        _require_unique([each.name for each in self.paths], "paths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """A person says yes or no by a time. Yes goes on; otherwise `rejected` or `expired` is taken, and the run ends."""

    __pydantic_config__ = STRICT

    title: str
    by: Literal["owner"] | tuple[str, ...] = "owner"
    expires_in: str = "3d"
    rejected: tuple["Step", ...] = ()
    expired: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        require_text(self.title, "title")
        require(bool(self.by), "at least one person is needed", "by")
        require_duration(self.expires_in, "expires_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The run ends here, whatever comes after."""

    __pydantic_config__ = STRICT

    reason: str

    def __post_init__(self) -> None:
        require_text(self.reason, "reason")


OTHERWISE = "otherwise"
Action = Notify | str | Until | WaitUntil | Branch | Task | Webhook | Split | Approve | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: a name, and one thing to do. `sales` marks what must not be said while the account has other worries."""

    __pydantic_config__ = STRICT

    name: str
    sales: bool = False
    notify: Notify | None = None
    wait: str | Until | None = None
    wait_until: WaitUntil | None = None
    branch: Branch | None = None
    task: Task | None = None
    webhook: Webhook | None = None
    split: Split | None = None
    approve: Approve | None = None
    end: End | None = None

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        given = [each for each in KINDS if getattr(self, each) is not None]
        require(bool(given), f"step {self.name} does nothing: give it one of {', '.join(KINDS)}")
        require(
            len(given) == 1,
            f"step {self.name} has {' and '.join(given)}: a step does one thing, make them two",
        )
        if isinstance(self.wait, str):
            require_duration(self.wait, "wait")

    @property
    def kind(self) -> StepKind:
        """Which of the members is given."""
        return next(each for each in KINDS if getattr(self, each) is not None)

    @property
    def action(self) -> Action:
        """What the step does."""
        found: Action = getattr(self, self.kind)
        return found


Ways = Sequence[tuple[str, Sequence[Step], tuple[Place, ...]]]
"""Name of a way, the steps on it, and where it is written in the step."""


def ways(step: Step) -> Ways:
    """Where a step can lead beside the step after it."""
    match step.action:
        case WaitUntil(otherwise=otherwise):
            return [("timed_out", otherwise, ("wait_until", "otherwise"))]
        case Branch(cases=cases, otherwise=otherwise):
            found = [
                (each.name, each.steps, ("branch", "cases", at, "steps")) for at, each in enumerate(cases)
            ]
            return [*found, (OTHERWISE, otherwise, ("branch", "otherwise"))]
        case Split(paths=paths):
            return [(each.name, each.steps, ("split", "paths", at, "steps")) for at, each in enumerate(paths)]
        case Approve(rejected=rejected, expired=expired):
            return [
                ("rejected", rejected, ("approve", "rejected")),
                ("expired", expired, ("approve", "expired")),
            ]
    return []


def walk(steps: Sequence[Step], *place: Place) -> Iterator[tuple[Step, tuple[Place, ...]]]:
    """Every step of a tree with its place in it, in the order in which it is written."""
    for index, step in enumerate(steps):
        here = (*place, index)
        yield step, here
        for _, inner, at in ways(step):
            yield from walk(inner, *here, *at)


def conditions(step: Step) -> Iterator[tuple[str, tuple[Place, ...]]]:
    """The expressions of a step itself, with their places in it."""
    match step.action:
        case WaitUntil(condition=condition):
            yield condition, ("wait_until", "condition")
        case Branch(cases=cases):
            for index, each in enumerate(cases):
                yield each.when, ("branch", "cases", index, "when")


def _require_unique(names: Sequence[str], member: str) -> None:
    for index, name in enumerate(names):
        require(name not in names[:index], f"there is a {name} before this one", member, index, "name")


__all__ = [
    "KINDS", "OTHERWISE", "Approve", "Branch", "Case", "End", "Notify", "Path", "Recipient", "Split", "Step", "StepKind",
    "Task", "Until", "WaitUntil", "Webhook", "conditions", "walk", "ways",
]  # fmt: skip
