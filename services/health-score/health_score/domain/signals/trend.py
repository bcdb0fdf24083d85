"""`trend`: how much of something there is lately, against the account's own habit. 1 is as always, 0.5 half as much."""

from dataclasses import dataclass, field
from math import expm1, inf, log
from typing import ClassVar, NamedTuple

from health_score.domain.fact import Fact
from health_score.domain.forms import Fade
from health_score.domain.signals.base import DAY_S, Span, require_days
from health_score.domain.signals.decay import joined, reference, require_half_life
from health_score.domain.signals.selector import Selector

LN2 = log(2.0)


@dataclass(slots=True)
class TrendState:
    """Two totals as of so many whole half-lives since the epoch, and the time of the first fact."""

    fast: float
    fast_at: int
    slow: float
    slow_at: int
    first: float


class Rates(NamedTuple):
    """The form of a trend: the quotient of two fading totals, corrected for how little of the past there is yet.

    Of a steady rate a total has seen the share 1 - 2^(-age / half-life) after `age` seconds, so both rates are divided by theirs.
    The correction grows more slowly than the quotient fades, so the whole falls from one fact to the next.
    """

    quotient: Fade
    first: float
    fast_s: float
    slow_s: float

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return True

    def value(self, now: float) -> float:
        """Recent rate / usual rate."""
        age = max(now - self.first, 1.0)
        return self.quotient.value(now) * (_missing(age, self.slow_s) / _missing(age, self.fast_s))

    def bend(self, one: float, other: float) -> float:
        """It strays no further than it moves."""
        return abs(one - other)


def _missing(age: float, half_life_s: float) -> float:
    return -expm1(-age / half_life_s * LN2)  # exact for short ages, where 1 - 2^x is not


@dataclass(frozen=True, slots=True)
class Trend:
    """(fast total / fast half-life) / (slow total / slow half-life), each total Σ number·2^(-age / half-life).

    Unknown until `mature_days` after the first fact (unless told: the slow half-life): before that there is no habit.
    """

    select: Selector
    fast_days: float = 7.0
    slow_days: float = 28.0
    mature_days: float | None = None
    fast_s: float = field(init=False, repr=False)
    slow_s: float = field(init=False, repr=False)
    mature_s: float = field(init=False, repr=False)

    state_type: ClassVar[type] = TrendState

    def __post_init__(self) -> None:
        require_half_life(self.fast_days, "fast_days")
        require_half_life(self.slow_days, "slow_days")
        if self.slow_days < 2.0 * self.fast_days:
            raise ValueError("slow_days must be at least twice fast_days, or there is nothing to compare")
        if self.mature_days is not None:
            require_days("mature_days", self.mature_days)
        mature_days = self.slow_days if self.mature_days is None else self.mature_days
        object.__setattr__(self, "fast_s", self.fast_days * DAY_S)
        object.__setattr__(self, "slow_s", self.slow_days * DAY_S)
        object.__setattr__(self, "mature_s", mature_days * DAY_S)

    def fold(self, state: TrendState | None, fact: Fact) -> TrendState | None:
        """Add the fact's number to both totals; numbers below 0 are no amounts."""
        amount = self.select.read(fact)
        if amount is None or amount <= 0.0:
            return state
        fast_at, fast = reference(fact.time, self.fast_s)
        slow_at, slow = reference(fact.time, self.slow_s)
        if state is None:
            return TrendState(amount * fast, fast_at, amount * slow, slow_at, fact.time)
        if fast_at == state.fast_at:
            state.fast += amount * fast
        else:
            state.fast, state.fast_at = joined(state.fast, state.fast_at, amount * fast, fast_at)
        if slow_at == state.slow_at:
            state.slow += amount * slow
        else:
            state.slow, state.slow_at = joined(state.slow, state.slow_at, amount * slow, slow_at)
        if fact.time < state.first:
            state.first = fact.time
        return state

    def merge(self, state: TrendState, other: TrendState) -> TrendState:
        """Both totals of both, and the earlier beginning."""
        fast = joined(state.fast, state.fast_at, other.fast, other.fast_at)
        slow = joined(state.slow, state.slow_at, other.slow, other.slow_at)
        return TrendState(*fast, *slow, min(state.first, other.first))

    def form(self, state: TrendState) -> Rates:
        """Both totals fade, the fast one faster."""
        since = state.fast_at * self.fast_s
        slow = Fade(state.slow, state.slow_at * self.slow_s, self.slow_s).value(since)
        rate = (state.fast / self.fast_s) / (slow / self.slow_s)
        half_life_s = 1.0 / (1.0 / self.fast_s - 1.0 / self.slow_s)
        return Rates(Fade(rate, since, half_life_s), state.first, self.fast_s, self.slow_s)

    def span(self, state: TrendState) -> Span:
        """From the time on at which there is a habit."""
        return state.first + self.mature_s, inf
