"""A playbook as a person writes it: when it starts and ends, and its steps. Immutable; a wrong one cannot be made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from playbooks.domain.rules import (
    STRICT,
    Place,
    require,
    require_condition,
    require_duration,
    require_name,
    require_text,
)
from playbooks.domain.steps import Step, walk

MOST_STEPS = 200
"""Nobody can oversee more."""

Direction = Literal["entered", "left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The crossing that starts a run."""

    __pydantic_config__ = STRICT

    threshold: str
    direction: Direction

    def __post_init__(self) -> None:
        require_name(self.threshold, "threshold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How often an account may enter. A run that ended before its first step does not count."""

    __pydantic_config__ = STRICT

    once_per: str | None = None

    def __post_init__(self) -> None:
        if self.once_per is not None:
            require_duration(self.once_per, "once_per")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitWhen:
    """What ends an active run: crossings, as names of thresholds, or a condition that holds before a step or at a crossing."""

    __pydantic_config__ = STRICT

    left: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    condition: str | None = None

    def __post_init__(self) -> None:
        for direction, thresholds in (("left", self.left), ("entered", self.entered)):
            for index, threshold in enumerate(thresholds):
                require_name(threshold, direction, index)
        if self.condition is not None:
            require_condition(self.condition, "condition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The share of accounts that is left alone, so that the difference can be seen. Drawn by the account's id, the same for all
    playbooks of a `programme`; without one, for this playbook alone."""

    __pydantic_config__ = STRICT

    share: float
    programme: str | None = None

    def __post_init__(self) -> None:
        require(0 < self.share < 1, "must be between 0 and 1", "share")
        if self.programme is not None:
            require_name(self.programme, "programme")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a mistake can reach: with more starts than this in an hour the playbook pauses itself."""

    __pydantic_config__ = STRICT

    starts_per_hour: int

    def __post_init__(self) -> None:
        require(self.starts_per_hour >= 1, "must be at least 1", "starts_per_hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the playbook is for: a condition that is to hold at some time `within` the entry."""

    __pydantic_config__ = STRICT

    condition: str
    within: str

    def __post_init__(self) -> None:
        require_condition(self.condition, "condition")
        require_duration(self.within, "within")


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What becomes of a run whose wait ended longer than `after` ago when somebody comes to look at it, after an outage."""

    __pydantic_config__ = STRICT

    after: str = "1d"
    then: Literal["go_on", "exit"] = "go_on"

    def __post_init__(self) -> None:
        require_duration(self.after, "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A playbook. Conditions are expressions over the account; whoever evaluates them also checks them.

    An account has one active run of a `purpose` (the playbook's name where none is given); a playbook of a higher `priority`
    takes the place of one of a lower. Without `exit_when` the way back over the trigger's own threshold ends a run.
    """

    __pydantic_config__ = STRICT

    name: str
    title: str
    trigger: Trigger
    steps: tuple[Step, ...]
    description: str = ""
    audience: str = "true"
    entry: Entry = Entry()
    purpose: str | None = None
    priority: int = 0
    holdout: Holdout | None = None
    limits: Limits | None = None
    goal: Goal | None = None
    exit_when: ExitWhen | None = None
    late: Late = Late()

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        require(self.name != "schema", "is the name of the schema over REST: take another", "name")
        require_text(self.title, "title")
        if self.purpose is not None:
            require_name(self.purpose, "purpose")
        require(-1000 <= self.priority <= 1000, "must be between -1000 and 1000", "priority")
        require(bool(self.steps), "at least one step is needed", "steps")
        require(
            sum(1 for _ in self.all_steps()) <= MOST_STEPS,
            f"a playbook has at most {MOST_STEPS} steps",
            "steps",
        )
        require_condition(self.audience, "audience")
        _require_unique_names(self.steps)

    @property
    def serves(self) -> str:
        """The purpose of its runs."""
        return self.purpose or self.name

    def starts_on(self, threshold: str, direction: Direction) -> bool:
        """Whether this crossing is the trigger."""
        return (threshold, direction) == (self.trigger.threshold, self.trigger.direction)

    def exits_on(self, threshold: str, direction: Direction) -> bool:
        """Whether this crossing ends an active run."""
        if self.exit_when is None:
            return self.recovers_on(threshold, direction)
        return threshold in (self.exit_when.left if direction == "left" else self.exit_when.entered)

    def recovers_on(self, threshold: str, direction: Direction) -> bool:
        """Whether this crossing is the way back over the trigger's own threshold."""
        return threshold == self.trigger.threshold and direction != self.trigger.direction

    def all_steps(self) -> Iterator[tuple[Step, tuple[Place, ...]]]:
        """Every step, however deep, with its place."""
        yield from walk(self.steps, "steps")


def _require_unique_names(steps: Sequence[Step]) -> None:
    known: set[str] = set()
    for step, place in walk(steps, "steps"):
        require(step.name not in known, f"there is a step {step.name} before this one", *place, "name")
        known.add(step.name)
