"""How a measure's raw value becomes points: a piecewise-linear curve from any number to 0…100."""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

FURTHEST = 1e15
NEAREST = 1e-6
"""How far and how near knots may be, so that slopes can be reckoned with."""

Knot = tuple[float, float]
"""A value and its points."""
Line = tuple[float, float, float]
"""A knot, and the slope from it on."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Knots in rising order of value; straight lines between them, level beyond both ends."""

    knots: tuple[Knot, ...]
    values: tuple[float, ...] = field(init=False, repr=False)
    lines: tuple[Line, ...] = field(init=False, repr=False)
    one_way: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.knots:
            raise ValueError("a curve needs at least one knot: a value and its points")
        if not all(-FURTHEST <= x <= FURTHEST and 0.0 <= y <= 100.0 for x, y in self.knots):
            raise ValueError(f"a curve's values must be within ±{FURTHEST:g} and its points from 0 to 100")
        if any(x1 - x0 < NEAREST for (x0, _), (x1, _) in pairwise(self.knots)):
            raise ValueError(f"a curve's values must rise from knot to knot, by {NEAREST:g} at least")
        slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(self.knots)]
        lines = [(x, y, slope) for (x, y), slope in zip(self.knots, [*slopes, 0.0], strict=True)]
        object.__setattr__(self, "values", tuple(x for x, _ in self.knots))
        object.__setattr__(self, "lines", ((*self.knots[0], 0.0), *lines))
        object.__setattr__(self, "one_way", min(slopes, default=0.0) >= 0.0 or max(slopes) <= 0.0)

    def points(self, value: float) -> float:
        """The points of one value, 0…100."""
        x, y, slope = self.lines[bisect_right(self.values, value)]
        return y + slope * (value - x)

    def slope(self, one: float, other: float) -> float | None:
        """The slope of the line that both values lie on; None if they lie on different ones."""
        at = bisect_right(self.values, one)
        return self.lines[at][2] if at == bisect_right(self.values, other) else None

    def extremes(self, one: float, other: float) -> tuple[float, float]:
        """The least and the greatest points of all values between the two."""
        ends = self.points(one), self.points(other)
        if self.one_way:
            return min(ends), max(ends)
        low, high = min(one, other), max(one, other)
        inside = [y for x, y in self.knots if low < x < high]
        return min(*ends, *inside), max(*ends, *inside)
