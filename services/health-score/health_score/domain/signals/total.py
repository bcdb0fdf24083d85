"""`count` and `sum`: how much of something there was lately. A steady rate r per day reads r·half-life / ln 2."""

from dataclasses import dataclass, field
from math import log
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.signals.base import DAY_S
from health_score.domain.signals.decay import faded, reference, require_half_life, shifted
from health_score.domain.signals.selector import Selector


@dataclass(slots=True)
class TotalState:
    """The total as of `at` whole half-lives since the epoch, the latest that any fact reached."""

    total: float
    at: int


@dataclass(frozen=True, slots=True)
class Sum:
    """Σ number·2^(-age / half-life) over the matching facts. It never expires: it fades to nothing."""

    select: Selector
    half_life_days: float
    half_life_s: float = field(init=False, repr=False)

    state_type: ClassVar[type] = TotalState
    moves: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(self, "half_life_s", self.half_life_days * DAY_S)

    def _check(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is None:
            raise ValueError("value must name the field to sum; to count facts use the signal count")

    @property
    def types(self) -> tuple[str, ...]:
        """The event types it wants to see."""
        return self.select.types

    def fold(self, state: TotalState | None, fact: Fact) -> TotalState | None:
        """Add the fact's number, weighed by its own time."""
        amount = self.select.read(fact)
        if amount is None:
            return state
        at, weight = reference(fact.time, self.half_life_s)
        if state is None:
            return TotalState(amount * weight, at)
        if at > state.at:
            state.total = shifted(state.total, state.at, at)
            state.at = at
        state.total += shifted(amount * weight, at, state.at)
        return state

    def value(self, state: TotalState, now: float) -> float:
        """The total, faded to `now`."""
        return faded(state.total, state.at, now, self.half_life_s)

    def bend(self, one: float, other: float) -> float:
        """An eighth of the greatest second derivative times the square of the time it takes: |a|·ln²(a/b) / 8.

        On the way to nothing that grows without bound; but it cannot stray further than it moves.
        """
        least, greatest = sorted((abs(one), abs(other)))
        curved = greatest * log(greatest / least) ** 2 / 8.0 if least > 0.0 else greatest
        return min(curved, greatest - least)

    def expires(self, state: TotalState) -> float | None:
        """Never: a total that has faded to nothing is still known."""
        return None


@dataclass(frozen=True, slots=True)
class Count(Sum):
    """Σ 2^(-age / half-life) over the matching facts."""

    def _check(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is not None:
            raise ValueError("count counts facts: for the total of a field use the signal sum")
