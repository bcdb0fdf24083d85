"""`latest`: what was said last, until it is too old to be believed."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Still
from health_score.domain.signals.base import DAY_S, Span, require_days
from health_score.domain.signals.selector import Selector


@dataclass(slots=True)
class LatestState:
    """The number of the latest match, with its time and event id."""

    time: float
    id: str
    number: float


@dataclass(frozen=True, slots=True)
class Latest:
    """The number of the matching fact with the greatest event time (the greater event id among equals), for `expires_days`."""

    select: Selector
    expires_days: float | None = None

    state_type: ClassVar[type] = LatestState

    def __post_init__(self) -> None:
        if self.select.value is None:
            raise ValueError("value must name the field that latest reads")
        if self.expires_days is not None:
            require_days("expires_days", self.expires_days)

    def fold(self, state: LatestState | None, fact: Fact) -> LatestState | None:
        """Keep the newer of the known number and the fact's."""
        found = self.select.read(fact)
        if found is None or (state is not None and (fact.time, fact.id) <= (state.time, state.id)):
            return state
        return LatestState(fact.time, fact.id, found)

    def merge(self, state: LatestState, other: LatestState) -> LatestState:
        """The newer."""
        return state if (state.time, state.id) >= (other.time, other.id) else other

    def form(self, state: LatestState) -> Still:
        """Time does not move it."""
        return Still(state.number)

    def span(self, state: LatestState) -> Span:
        """Until `expires_days` after it was said."""
        return -inf, inf if self.expires_days is None else state.time + self.expires_days * DAY_S
