"""How a measure's raw value becomes points: a piecewise-linear curve from any number to 0…100."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

Knot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """Knots (value, points) in rising order of value; straight lines between them, level beyond both ends."""

    knots: tuple[Knot, ...]

    def __post_init__(self) -> None:
        if not self.knots:
            raise ValueError("a curve needs at least one knot [value, points]")
        if not all(isfinite(x) and 0.0 <= y <= 100.0 for x, y in self.knots):
            raise ValueError("a curve's values must be finite and its points from 0 to 100")
        if any(left[0] >= right[0] for left, right in pairwise(self.knots)):
            raise ValueError("a curve's values must rise from knot to knot")

    def points(self, value: float) -> float:
        """The points of one value, 0…100."""
        knots = self.knots
        at = bisect_right(knots, (value, 101.0))
        if at == 0:
            return knots[0][1]
        if at == len(knots):
            return knots[-1][1]
        (x0, y0), (x1, y1) = knots[at - 1], knots[at]
        return y0 + (y1 - y0) * ((value - x0) / (x1 - x0))

    def extremes(self, one: float, other: float) -> tuple[float, float]:
        """The least and the greatest points of all values between the two."""
        low, high = (one, other) if one <= other else (other, one)
        ends = (self.points(low), self.points(high))
        inside: Sequence[float] = [y for x, y in self.knots if low < x < high]
        return min(*ends, *inside), max(*ends, *inside)
