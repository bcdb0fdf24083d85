"""`until`: days to a date of the account, such as its renewal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from health_score.domain.attributes import flattened
from health_score.domain.fact import Fact
from health_score.domain.signals.base import DAY_S
from health_score.domain.signals.selector import Selector


@dataclass(slots=True)
class UntilState:
    """The date last told (epoch seconds), with the time and id of the event that told it."""

    time: float
    id: str
    date: float


def moment(value: Any) -> float | None:
    """Epoch seconds of an ISO date (its midnight in UTC) or date-time (UTC unless it says otherwise); None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class Until:
    """Days from now to the date in the field that `select.value` names; negative once it has passed. The newest event tells."""

    select: Selector

    state_type: ClassVar[type] = UntilState
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.select.value is None:
            raise ValueError("value must name the date field that until reads")
        if self.select.table is not None or self.select.default is not None:
            raise ValueError("until reads a date: table and default do not apply")

    @property
    def types(self) -> tuple[str, ...]:
        """The event types it wants to see."""
        return self.select.types

    def fold(self, state: UntilState | None, fact: Fact) -> UntilState | None:
        """Keep the date that the newer event tells."""
        if state is not None and (fact.time, fact.id) <= (state.time, state.id):
            return state
        if not self.select.matches(fact.data):
            return state
        date = moment(flattened(fact.data).get(self.select.value or ""))
        return state if date is None else UntilState(fact.time, fact.id, date)

    def value(self, state: UntilState, now: float) -> float:
        """Days left."""
        return (state.date - now) / DAY_S

    def bend(self, one: float, other: float) -> float:
        """A day passes a day at a time."""
        return 0.0

    def expires(self, state: UntilState) -> float | None:
        """Never."""
        return None
