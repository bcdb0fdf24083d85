"""`recency`: days since something last happened."""

from dataclasses import dataclass
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Ramp
from health_score.domain.signals.base import ALWAYS, Span
from health_score.domain.signals.selector import Selector


@dataclass(slots=True)
class RecencyState:
    """The time of the latest match, in epoch seconds."""

    last: float


@dataclass(frozen=True, slots=True)
class Recency:
    """Days since the latest matching fact, never below 0. It never expires: silence is what it tells."""

    select: Selector

    state_type: ClassVar[type] = RecencyState

    def __post_init__(self) -> None:
        if self.select.value is not None:
            raise ValueError("recency looks at times: value does not apply")

    def fold(self, state: RecencyState | None, fact: Fact) -> RecencyState | None:
        """Remember the latest time."""
        if state is None:
            return RecencyState(fact.time)
        if fact.time > state.last:
            state.last = fact.time
        return state

    def merge(self, state: RecencyState, other: RecencyState) -> RecencyState:
        """The later."""
        return RecencyState(max(state.last, other.last))

    def form(self, state: RecencyState) -> Ramp:
        """Silence grows a day a day."""
        return Ramp(state.last, 1.0, 0.0)

    def span(self, state: RecencyState) -> Span:
        """For ever."""
        return ALWAYS
