"""`open`: things that are open right now, such as tickets or unpaid invoices, each with its weight.

What an event tells of an item stands until a newer event tells otherwise; an event that says the item is not open closes it
and clears what was told before. A closing is remembered for `closed_days`, so that an older event arriving late does not open
the item again; what nobody repeats for `open_days` is forgotten. Both are reckoned from the start of the day (UTC) of the
newest event of this signal. So any order of arrival gives the same state, unless an event that opens an item arrives more
than `closed_days` behind the newest event, and after the item's closing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum, inf, prod
from typing import Any, ClassVar

from health_score.domain.attributes import Stamp
from health_score.domain.fact import Fact
from health_score.domain.forms import Still
from health_score.domain.signals.base import DAY_S, Span, require_days
from health_score.domain.signals.selector import LARGEST, Scalar, Selector, scalar

Told = tuple[float, str, Scalar]
"""Event time, event id, and the field's value."""


@dataclass(slots=True)
class OpenState:
    """Per item the newest told fields, the remembered closings, and the newest event time of all."""

    newest: float
    items: dict[str, dict[str, Told]]
    closed: dict[str, Stamp]


@dataclass(frozen=True, slots=True)
class Open:
    """The summed weight of the items all of whose `open_when` fields have one of the values listed.

    An item weighs the product of its factors in `weights` (field → value → factor; 1 where nothing is told or listed).
    With nothing open the value is 0 for `expires_days` after the newest event, then None.
    """

    select: Selector
    item: str
    open_when: Mapping[str, tuple[Scalar, ...]]
    weights: Mapping[str, Mapping[Scalar, float]] = field(default_factory=dict)
    expires_days: float | None = None
    closed_days: float = 30.0
    open_days: float = 365.0
    fields: tuple[str, ...] = field(init=False, repr=False)

    state_type: ClassVar[type] = OpenState

    def __post_init__(self) -> None:
        if not self.item:
            raise ValueError("item must name the field that holds the item's id")
        if not self.open_when or not all(self.open_when.values()):
            raise ValueError("open_when must name fields, and for each the values that mean open")
        if self.select.value is not None:
            raise ValueError("open weighs items by weights: value does not apply")
        if not all(0.0 <= factor <= LARGEST for table in self.weights.values() for factor in table.values()):
            raise ValueError("weights must be factors of 0 or more")
        require_days("closed_days", self.closed_days)
        require_days("open_days", self.open_days)
        if self.closed_days > self.open_days:
            raise ValueError("closed_days must be at most open_days")
        if self.expires_days is not None:
            require_days("expires_days", self.expires_days)
        object.__setattr__(self, "fields", tuple(dict.fromkeys((*self.open_when, *self.weights))))

    def fold(self, state: OpenState | None, fact: Fact) -> OpenState | None:
        """Take over what the fact tells of its item."""
        item, told = fact.data.get(self.item), self._told(fact.data)
        if not isinstance(item, str) or not told:
            return state
        if state is None:
            state = OpenState(fact.time, {}, {})
        elif fact.time > state.newest:
            self._advance(state, fact.time)
        if self._closes(told):
            self._close(state, item, (fact.time, fact.id))
        else:
            self._tell(state, item, told, (fact.time, fact.id))
        return state

    def merge(self, state: OpenState, other: OpenState) -> OpenState:
        """What either was told, the newer winning field by field."""
        if other.newest > state.newest:
            self._advance(state, other.newest)
        for item, stamp in other.closed.items():
            self._close(state, item, stamp)
        for item, told in other.items.items():
            for name, (time, id_, value) in told.items():
                self._tell(state, item, {name: value}, (time, id_))
        return state

    def form(self, state: OpenState) -> Still:
        """The summed weight of what is open, which time does not move."""
        return Still(fsum([self._weight(told) for told in state.items.values() if self._is_open(told)]))

    def span(self, state: OpenState) -> Span:
        """Until `expires_days` after the newest event, if nothing is open."""
        if self.expires_days is None or any(map(self._is_open, state.items.values())):
            return -inf, inf
        return -inf, state.newest + self.expires_days * DAY_S

    def _told(self, data: Mapping[str, Any]) -> dict[str, Scalar]:
        told: dict[str, Scalar] = {}
        for name in self.fields:
            value = scalar(data.get(name))
            if value is not None:
                told[name] = value
        return told

    def _closes(self, told: Mapping[str, Scalar]) -> bool:
        return any(name in told and told[name] not in values for name, values in self.open_when.items())

    def _is_open(self, told: Mapping[str, Told]) -> bool:
        return all(name in told for name in self.open_when)

    def _weight(self, told: Mapping[str, Told]) -> float:
        return prod(table.get(told[name][2], 1.0) for name, table in self.weights.items() if name in told)

    def _tell(self, state: OpenState, item: str, told: Mapping[str, Scalar], stamp: Stamp) -> None:
        closed = state.closed.get(item)
        if stamp[0] < _horizon(state.newest, self.open_days) or (closed is not None and stamp <= closed):
            return
        known = state.items.setdefault(item, {})
        for name, value in told.items():
            if name not in known or stamp > known[name][:2]:
                known[name] = (*stamp, value)

    def _close(self, state: OpenState, item: str, stamp: Stamp) -> None:
        remembered = state.closed.get(item)
        if remembered is not None and stamp <= remembered:
            return
        if stamp[0] >= _horizon(state.newest, self.closed_days):
            state.closed[item] = stamp
        newer = {name: each for name, each in state.items.pop(item, {}).items() if each[:2] > stamp}
        if newer:
            state.items[item] = newer

    def _advance(self, state: OpenState, time: float) -> None:
        before, state.newest = state.newest, time
        if time // DAY_S == before // DAY_S:
            return
        oldest_closing = _horizon(state.newest, self.closed_days)
        state.closed = {item: stamp for item, stamp in state.closed.items() if stamp[0] >= oldest_closing}
        oldest = _horizon(state.newest, self.open_days)
        kept = (
            (item, {name: each for name, each in told.items() if each[0] >= oldest})
            for item, told in state.items.items()
        )
        state.items = {item: told for item, told in kept if told}


def _horizon(newest: float, days: float) -> float:
    return (newest // DAY_S - days) * DAY_S
