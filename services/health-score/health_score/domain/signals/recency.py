"""`recency`: days since something last happened."""

from dataclasses import dataclass
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.signals.base import DAY_S
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
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.select.value is not None:
            raise ValueError("recency looks at times: value does not apply")

    @property
    def types(self) -> tuple[str, ...]:
        """The event types it wants to see."""
        return self.select.types

    def fold(self, state: RecencyState | None, fact: Fact) -> RecencyState | None:
        """Remember the latest time."""
        if not self.select.matches(fact.data):
            return state
        if state is None:
            return RecencyState(fact.time)
        if fact.time > state.last:
            state.last = fact.time
        return state

    def value(self, state: RecencyState, now: float) -> float:
        """Days of silence."""
        return (now - state.last) / DAY_S if now > state.last else 0.0

    def bend(self, one: float, other: float) -> float:
        """Straight, but for a start that has not come yet."""
        return 0.0 if min(one, other) > 0.0 else abs(one - other)

    def expires(self, state: RecencyState) -> float | None:
        """Never."""
        return None
