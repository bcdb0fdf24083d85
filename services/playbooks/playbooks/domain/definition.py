"""A playbook as a person writes it: when it starts and ends, and its steps. Immutable; a wrong one cannot be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from playbooks.domain.rules import STRICT, require, require_duration, require_name, require_text
from playbooks.domain.steps import Step

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
    """Crossings that end an active run, as names of thresholds."""

    __pydantic_config__ = STRICT

    left: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for direction, thresholds in (("left", self.left), ("entered", self.entered)):
            for index, threshold in enumerate(thresholds):
                require_name(threshold, direction, index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A playbook. `audience` is an expression over the account's snapshot; whoever evaluates it also checks it.

    Without `exit_when` the way back over the trigger's own threshold ends a run.
    """

    __pydantic_config__ = STRICT

    name: str
    title: str
    trigger: Trigger
    steps: tuple[Step, ...]
    audience: str = "true"
    entry: Entry = Entry()
    exit_when: ExitWhen | None = None

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        require_text(self.title, "title")
        require(bool(self.steps), "at least one step is needed", "steps")
        _require_unique_names(self.steps)

    def starts_on(self, threshold: str, direction: Direction) -> bool:
        """Whether this crossing is the trigger."""
        return (threshold, direction) == (self.trigger.threshold, self.trigger.direction)

    def exits_on(self, threshold: str, direction: Direction) -> bool:
        """Whether this crossing ends an active run."""
        if self.exit_when is None:
            return threshold == self.trigger.threshold and direction != self.trigger.direction
        return threshold in (self.exit_when.left if direction == "left" else self.exit_when.entered)


def _require_unique_names(steps: Sequence[Step]) -> None:
    known: set[str] = set()
    for index, step in enumerate(steps):
        require(
            step.name not in known, f"there is a step {step.name} before this one", "steps", index, "name"
        )
        known.add(step.name)
