"""What every signal is: a fold over facts with a closed form in time, so that the future is computable."""

from math import inf
from typing import Any, ClassVar, Protocol, TypeVar

from health_score.domain.fact import Fact

State = TypeVar("State")

DAY_S = 86_400.0


def require_days(name: str, days: float, least: float = 0.0) -> None:
    """Refuse a span of time that is not a number of days above `least`."""
    if not least < days < inf:
        raise ValueError(f"{name} must be a number of days above {least:g}")


class Signal(Protocol[State]):
    """One way to read a number out of an account's facts.

    A signal is a definition and immutable; its state belongs to one account and holds builtin types only. Folding is
    commutative and associative: any order and any split into batches gives the same state (each signal tells its window).
    Without a matching fact there is no state, and no value.
    """

    state_type: ClassVar[type]
    """The dataclass of its state, for whoever stores it."""
    moves: ClassVar[bool]
    """Whether the value changes by the passing of time alone."""

    @property
    def types(self) -> tuple[str, ...]:
        """The event types it wants to see."""
        ...

    def fold(self, state: State | None, fact: Fact) -> State | None:
        """Take in a fact of one of `types`: change the state in place and return it. Data that does not fit is no match."""
        ...

    def value(self, state: State, now: float) -> float:
        """The number at `now`, before it expires. Monotone in time from one fact to the next."""
        ...

    def bend(self, one: float, other: float) -> float:
        """How far at most the number strays from a straight line in time while it moves from one to the other."""
        ...

    def expires(self, state: State) -> float | None:
        """The instant (epoch seconds) from which on the number is no longer believed; None where that never comes."""
        ...


def read(signal: Signal[State], state: State | None, now: float) -> float | None:
    """The number at `now`; None where there never was one or it has expired."""
    if state is None:
        return None
    until = signal.expires(state)
    return signal.value(state, now) if until is None or now < until else None


AnySignal = Signal[Any]
