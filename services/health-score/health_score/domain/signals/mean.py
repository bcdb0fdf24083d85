"""`mean`: the average of answers, the recent counting more; unknown again once the answers have faded."""

from dataclasses import dataclass, field
from math import inf, log2
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Still
from health_score.domain.signals.base import DAY_S, Span
from health_score.domain.signals.decay import joined, reference, require_half_life, shifted
from health_score.domain.signals.selector import Selector


@dataclass(slots=True)
class MeanState:
    """Weighted total and weight as of `at` whole half-lives since the epoch."""

    total: float
    weight: float
    at: int


@dataclass(frozen=True, slots=True)
class Mean:
    """Σ number·w / Σ w with w = 2^(-age / half-life); None once Σ w is below `min_weight` (1 is one answer given just now)."""

    select: Selector
    half_life_days: float
    min_weight: float = 0.1
    half_life_s: float = field(init=False, repr=False)

    state_type: ClassVar[type] = MeanState

    def __post_init__(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is None:
            raise ValueError("value must name the field that mean reads")
        if not 0.0 < self.min_weight <= 1.0:
            raise ValueError("min_weight must be above 0 and at most 1")
        object.__setattr__(self, "half_life_s", self.half_life_days * DAY_S)

    def fold(self, state: MeanState | None, fact: Fact) -> MeanState | None:
        """Add the fact's number and its weight, both by its own time."""
        amount = self.select.read(fact)
        if amount is None:
            return state
        at, weight = reference(fact.time, self.half_life_s)
        if state is None:
            return MeanState(amount * weight, weight, at)
        if at > state.at:
            state.total = shifted(state.total, state.at, at)
            state.weight = shifted(state.weight, state.at, at)
            state.at = at
        state.total += shifted(amount * weight, at, state.at)
        state.weight += shifted(weight, at, state.at)
        return state

    def merge(self, state: MeanState, other: MeanState) -> MeanState:
        """Both sums of both."""
        total, at = joined(state.total, state.at, other.total, other.at)
        weight, _ = joined(state.weight, state.at, other.weight, other.at)
        return MeanState(total, weight, at)

    def form(self, state: MeanState) -> Still:
        """The average, which time does not move: both sums fade alike."""
        return Still(state.total / state.weight)

    def span(self, state: MeanState) -> Span:
        """Until the weight has faded to `min_weight`."""
        return -inf, (state.at + log2(state.weight / self.min_weight)) * self.half_life_s
