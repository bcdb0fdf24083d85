"""How a watched number runs through time if nothing arrives: read at any second, and bounded between two.

Valid until the first of the known values expires: up to then what is known stays known, and each value is monotone in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import NamedTuple, Protocol

from health_score.domain.assessment import rounded
from health_score.domain.curve import Curve
from health_score.domain.forms import Form
from health_score.domain.look import Look


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

    form: Form

    def point(self, at: int) -> Point:
        """The value itself."""
        value = self.form.value(at)
        return Point(at, value, value)

    def bounds(self, left: Point, right: Point) -> tuple[float, float]:
        """Both ends, since it is monotone."""
        return min(left.number, right.number), max(left.number, right.number)

    close_bounds = bounds


class Mover(NamedTuple):
    """A measure of a score whose value moves, and its share of the score."""

    form: Form
    curve: Curve
    share: float


@dataclass(frozen=True, slots=True)
class WeighedCourse:
    """A computed score: what stays (`still`, in points of the score) and what moves."""

    still: tuple[float, ...]
    movers: tuple[Mover, ...]

    def point(self, at: int) -> Point:
        """The score, by the same sum as the assessment's."""
        raw, brought = [], list(self.still)
        for form, curve, share in self.movers:
            value = form.value(at)
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
                strays += mover.share * abs(slope) * mover.form.bend(one, other)
        low, high = min(left.exact, right.exact), max(left.exact, right.exact)
        return rounded(low - strays), rounded(high + strays)


def course(seen: Look, place: int) -> Course | None:
    """The course of the card's target at this place from a look on; None where none of it moves. Of the score, the computed."""
    target = seen.card.targets[place]
    if target.kind == "coverage":
        return None
    if target.kind == "measure":
        at = seen.card.raw[place]
        reading = None if at is None else seen.readings[at]
        return None if reading is None or not reading.form.moves else RawCourse(reading.form)
    points = seen.assessment.points
    balance = seen.card.balance(tuple([name for name, each in points.items() if each is not None]))
    return _weighed(seen, balance.whole if target.kind == "score" else balance.within[target.name])


def _weighed(seen: Look, shares: dict[str, float]) -> WeighedCourse | None:
    still: list[float] = []
    movers: list[Mover] = []
    known = seen.assessment.points
    for measure, reading in zip(seen.card.reads, seen.readings, strict=True):
        share, points, curve = shares.get(measure.name), known[measure.name], measure.curve
        if share is None or points is None or curve is None or reading is None:
            continue
        if reading.form.moves:
            movers.append(Mover(reading.form, curve, share))
        else:
            still.append(share * points)
    return WeighedCourse(tuple(still), tuple(movers)) if movers else None
