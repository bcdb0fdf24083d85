"""Why a message was asked for, as it was told with the request: run, steps before, crossing, the facts behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One of the events; of those behind old messages only the ids are known."""

    id: str
    type: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure that moved, in points of the whole score (0…100)."""

    measure: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """What the score gained by it; None where one side is unknown."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What was watched, where it stood before and after, and what kind of cause it had."""

    id: str
    threshold: str
    direction: str
    target: str
    level: float
    before: float | None
    after: float | None
    occurred_at: datetime
    cause: str
    band_before: str | None = None
    band_after: str | None = None
    scorecard: str | None = None
    scorecard_version: int | None = None
    parts: Sequence[Measure] = ()
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the run that had ended before, how, and which way it led."""

    step: str
    kind: str
    outcome: str
    at: datetime
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """All of it. Of old messages, and of erased ones, only the ids are known."""

    run_id: str | None = None
    step: str | None = None
    playbook: str | None = None
    playbook_version: int | None = None
    crossing_id: str | None = None
    fact_ids: Sequence[str] = ()
    playbook_title: str | None = None
    run_started_at: datetime | None = None
    entered: str | None = None
    steps: Sequence[Step] = ()
    crossing: Crossing | None = None

    @property
    def facts(self) -> Sequence[Fact]:
        """The events behind the crossing, as much as is known of them."""
        told = {each.id: each for each in self.crossing.facts} if self.crossing else {}
        ids = self.fact_ids or list(told)
        return [told.get(each, Fact(id=each)) for each in ids]
