"""`count` and `sum`: how much of something there was lately. A steady rate r per day reads r·half-life / ln 2."""

from dataclasses import dataclass, field
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Fade
from health_score.domain.signals.base import ALWAYS, DAY_S, Span
from health_score.domain.signals.decay import joined, reference, require_half_life
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

    def __post_init__(self) -> None:
        self._check()
        object.__setattr__(self, "half_life_s", self.half_life_days * DAY_S)

    def _check(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is None:
            raise ValueError("value must name the field to sum; to count facts use the signal count")

    def fold(self, state: TotalState | None, fact: Fact) -> TotalState | None:
        """Add the fact's number, weighed by its own time."""
        amount = self.select.read(fact)
        if amount is None:
            return state
        at, weight = reference(fact.time, self.half_life_s)
        if state is None:
            return TotalState(amount * weight, at)
        if at == state.at:
            state.total += amount * weight
        else:
            state.total, state.at = joined(state.total, state.at, amount * weight, at)
        return state

    def merge(self, state: TotalState, other: TotalState) -> TotalState:
        """The sum of both."""
        return TotalState(*joined(state.total, state.at, other.total, other.at))

    def form(self, state: TotalState) -> Fade:
        """The total fades."""
        return Fade(state.total, state.at * self.half_life_s, self.half_life_s)

    def span(self, state: TotalState) -> Span:
        """For ever: a total that has faded to nothing is still known."""
        return ALWAYS


@dataclass(frozen=True, slots=True)
class Count(Sum):
    """Σ 2^(-age / half-life) over the matching facts."""

    def _check(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is not None:
            raise ValueError("count counts facts: for the total of a field use the signal sum")
