"""`until`: days to a date of the account, such as its renewal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any, ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Ramp
from health_score.domain.signals.base import ALWAYS, Span
from health_score.domain.signals.selector import Selector, told

_FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@dataclass(slots=True)
class UntilState:
    """The date last told (epoch seconds), with the time and id of the event that told it."""

    time: float
    id: str
    date: float


def moment(value: Any) -> float | None:
    """Epoch seconds of an ISO date (its midnight in UTC) or date-time (UTC unless it says otherwise); None for anything else.

    What its offset or rounding would bring beyond the years 1 and 9999 is their first or last second, so that it can be told.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        seconds = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, _FIRST), _LAST)


@dataclass(frozen=True, slots=True)
class Until:
    """Days from now to the date in the field that `select.value` names; negative once it has passed. The newest event tells."""

    select: Selector

    state_type: ClassVar[type] = UntilState

    def __post_init__(self) -> None:
        if self.select.value is None:
            raise ValueError("value must name the date field that until reads")
        if self.select.table is not None or self.select.default is not None:
            raise ValueError("until reads a date: table and default do not apply")

    def fold(self, state: UntilState | None, fact: Fact) -> UntilState | None:
        """Keep the date that the newer event tells."""
        if state is not None and (fact.time, fact.id) <= (state.time, state.id):
            return state
        date = moment(told(fact.data, self.select.value or ""))
        return state if date is None else UntilState(fact.time, fact.id, date)

    def merge(self, state: UntilState, other: UntilState) -> UntilState:
        """The newer."""
        return state if (state.time, state.id) >= (other.time, other.id) else other

    def form(self, state: UntilState) -> Ramp:
        """Days left shrink a day a day."""
        return Ramp(state.date, -1.0, -inf)

    def span(self, state: UntilState) -> Span:
        """For ever."""
        return ALWAYS
