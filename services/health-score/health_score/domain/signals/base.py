"""What every signal is: a fold over facts whose number has a closed form in time, so that the future is computable."""

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from health_score.domain.fact import Fact
from health_score.domain.forms import DAY_S, Form
from health_score.domain.signals.selector import Selector

State = TypeVar("State")

Span = tuple[float, float]
"""The instants (epoch seconds) from which on and until which a number is believed."""

ALWAYS: Span = (-inf, inf)


def require_days(name: str, days: float, least: float = 0.0) -> None:
    """Refuse a span of time that is not a number of days above `least`."""
    if not least < days < inf:
        raise ValueError(f"{name} must be a number of days above {least:g}")


class Signal(Protocol[State]):
    """One way to read a number out of an account's facts.

    A signal is a definition and immutable; its state belongs to one account and holds builtin types only. Folding is
    commutative and associative: any order and any split into batches gives the same state (each signal tells its window).
    Without a matching fact there is no state, and no number.
    """

    state_type: ClassVar[type]
    """The dataclass of its state, for whoever stores it."""

    @property
    def select(self) -> Selector:
        """Which facts it wants to see."""
        ...

    def fold(self, state: State | None, fact: Fact) -> State | None:
        """Take in a fact that `select` matches: change the state in place and return it. Unfit data changes nothing."""
        ...

    def merge(self, state: State, other: State) -> State:
        """The state after both halves of the facts; may change `state` in place, never `other`."""
        ...

    def form(self, state: State) -> Form:
        """The number's way through time from the last fact on."""
        ...

    def span(self, state: State) -> Span:
        """When the number is believed."""
        ...


AnySignal = Signal[Any]


class Reading(NamedTuple):
    """What is known of a number: its form, and from when until when it is believed."""

    form: Form
    begins: float
    ends: float

    def at(self, now: float) -> float | None:
        """The number; None while it is not believed."""
        return self.form.value(now) if self.begins <= now < self.ends else None


def reading(signal: AnySignal, state: Any) -> Reading | None:
    """The reading of one signal; None without a state."""
    return None if state is None else Reading(signal.form(state), *signal.span(state))


States = Mapping[str, Any]
"""The states of an account's signals, by signal key."""

__all__ = ["ALWAYS", "DAY_S", "AnySignal", "Reading", "Signal", "Span", "States", "reading", "require_days"]
