"""How a watched number runs through time if nothing arrives: read at any instant, and bounded over any span.

Valid until the first of the known values expires: up to then what is known stays known, and each value is monotone in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Protocol

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Target
from health_score.domain.signals import AnySignal

Readings = tuple[float, ...]
"""The values that move, at one instant."""


class Course(Protocol):
    """One number's way through time."""

    def read(self, at: float) -> Readings:
        """The moving values at an instant."""
        ...

    def value(self, readings: Readings) -> float:
        """The number they give."""
        ...

    def bounds(self, one: Readings, other: Readings) -> tuple[float, float]:
        """A lower and an upper bound of the number between two readings."""
        ...


@dataclass(frozen=True, slots=True)
class Mover:
    """One measure whose value moves."""

    signal: AnySignal
    state: Any

    def at(self, now: float) -> float:
        """The value at an instant before it expires."""
        value = self.signal.value(self.state, now)
        if value is None:
            raise ValueError("a course was read after one of its values expired")
        return value


@dataclass(frozen=True, slots=True)
class RawCourse:
    """The raw value of one measure."""

    mover: Mover

    def read(self, at: float) -> Readings:
        """The value itself."""
        return (self.mover.at(at),)

    def value(self, readings: Readings) -> float:
        """The value itself."""
        return readings[0]

    def bounds(self, one: Readings, other: Readings) -> tuple[float, float]:
        """Both ends, since it is monotone."""
        return min(one[0], other[0]), max(one[0], other[0])


@dataclass(frozen=True, slots=True)
class WeighedCourse:
    """A score: points that stay (`still`, already weighed) and movers put through their curves with their shares."""

    still: Sequence[float]
    movers: Sequence[tuple[Mover, Curve, float]]

    def read(self, at: float) -> Readings:
        """The movers' values."""
        return tuple(mover.at(at) for mover, _, _ in self.movers)

    def value(self, readings: Readings) -> float:
        """The score, by the same sum as the assessment's."""
        moved = [
            share * curve.points(each) for (_, curve, share), each in zip(self.movers, readings, strict=True)
        ]
        return rounded(fsum((*self.still, *moved)))

    def bounds(self, one: Readings, other: Readings) -> tuple[float, float]:
        """The sums of the least and of the greatest points each mover can have."""
        spans = [
            (share, curve.extremes(a, b))
            for (_, curve, share), a, b in zip(self.movers, one, other, strict=True)
        ]
        low = fsum((*self.still, *(share * least for share, (least, _) in spans)))
        high = fsum((*self.still, *(share * greatest for share, (_, greatest) in spans)))
        return rounded(low), rounded(high)


def course(card: CompiledCard, state: AccountState, assessment: Assessment, target: Target) -> Course | None:
    """The course of a target from its assessment on; None where nothing of it moves."""
    if target.kind == "coverage":
        return None
    if target.kind == "measure":
        signal = next(each.signal for each in card.measures if each.name == target.name)
        return RawCourse(Mover(signal, state.signals[target.name])) if signal.moves else None
    balance = card.balance(tuple(name for name, points in assessment.points.items() if points is not None))
    shares = balance.whole if target.kind == "score" else balance.within[target.name]
    return _weighed(card, state, assessment, shares)


def _weighed(
    card: CompiledCard, state: AccountState, assessment: Assessment, shares: dict[str, float]
) -> WeighedCourse | None:
    still, movers = [], []
    for measure in card.measures:
        share, points = shares.get(measure.name), assessment.points[measure.name]
        if share is None or points is None or measure.curve is None:
            continue
        if measure.signal.moves:
            movers.append((Mover(measure.signal, state.signals[measure.name]), measure.curve, share))
        else:
            still.append(share * points)
    return WeighedCourse(still, movers) if movers else None
