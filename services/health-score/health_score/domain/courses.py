"""How a watched number runs through time if nothing arrives: read at any second, and bounded between two.

Valid until the first of the known values expires: up to then what is known stays known, and each value is monotone in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, NamedTuple, Protocol

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Target
from health_score.domain.signals import AnySignal


class Point(NamedTuple):
    """A course at one second: its number, the same before rounding, and the raw value of each mover."""

    at: int
    number: float
    exact: float
    raw: Sequence[float] = ()


class Course(Protocol):
    """One number's way through time."""

    def point(self, at: int) -> Point:
        """The course at a second."""
        ...

    def bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """A lower and an upper bound of the number between two points."""
        ...

    def close_bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """The same, dearer, and close also where movers pull against each other."""
        ...


@dataclass(frozen=True, slots=True)
class RawCourse:
    """The raw value of one measure."""

    signal: AnySignal
    state: Any

    def point(self, at: int) -> Point:
        """The value itself."""
        value = self.signal.value(self.state, at)
        return Point(at, value, value)

    def bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """Both ends, since it is monotone."""
        return min(left.number, right.number), max(left.number, right.number)

    close_bounds = bounds


class Mover(NamedTuple):
    """A measure of a score whose value moves, and its share of the score."""

    signal: AnySignal
    state: Any
    curve: Curve
    share: float


@dataclass(frozen=True, slots=True)
class WeighedCourse:
    """A score: what stays (`still`, in points of the score) and what moves."""

    still: tuple[float, ...]
    movers: tuple[Mover, ...]

    def point(self, at: int) -> Point:
        """The score, by the same sum as the assessment's."""
        raw, brought = [], list(self.still)
        for signal, state, curve, share in self.movers:
            value = signal.value(state, at)
            raw.append(value)
            brought.append(share * curve.points(value))
        exact = fsum(brought)
        return Point(at, rounded(exact), exact, raw)

    def bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """The sums of the least and of the greatest points each mover can bring."""
        lows, highs = list(self.still), list(self.still)
        for mover, one, other in zip(self.movers, left.raw, right.raw, strict=True):
            least, greatest = mover.curve.extremes(one, other)
            lows.append(mover.share * least)
            highs.append(mover.share * greatest)
        return rounded(fsum(lows)), rounded(fsum(highs))

    def close_bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """The straight line between both points, give or take how far each mover strays from its own."""
        strays = 0.0
        for mover, one, other in zip(self.movers, left.raw, right.raw, strict=True):
            slope = mover.curve.slope(one, other)
            if slope is None:
                least, greatest = mover.curve.extremes(one, other)
                strays += mover.share * (greatest - least)
            else:
                strays += mover.share * abs(slope) * mover.signal.bend(one, other)
        low, high = min(left.exact, right.exact), max(left.exact, right.exact)
        return rounded(low - strays), rounded(high + strays)


def course(card: CompiledCard, state: AccountState, assessment: Assessment, target: Target) -> Course | None:
    """The course of a target from its assessment on; None where nothing of it moves."""
    if target.kind == "coverage":
        return None
    if target.kind == "measure":
        signal = next(each.signal for each in card.measures if each.name == target.name)
        return RawCourse(signal, state.signals[target.name]) if signal.moves else None
    balance = card.balance(tuple([name for name, points in assessment.points.items() if points is not None]))
    return _weighed(
        card, state, assessment, balance.whole if target.kind == "score" else balance.within[target.name]
    )


def _weighed(
    card: CompiledCard, state: AccountState, assessment: Assessment, shares: dict[str, float]
) -> WeighedCourse | None:
    still: list[float] = []
    movers: list[Mover] = []
    for measure in card.measures:
        share, points, curve = shares.get(measure.name), assessment.points[measure.name], measure.curve
        if share is None or points is None or curve is None:
            continue
        if measure.signal.moves:
            movers.append(Mover(measure.signal, state.signals[measure.name], curve, share))
        else:
            still.append(share * points)
    return WeighedCourse(tuple(still), tuple(movers)) if movers else None
