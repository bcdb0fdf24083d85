"""What the model says of an account at one instant, with everything needed to recompute it."""

from math import floor
from typing import NamedTuple

from health_score.domain.scorecard import Target


def rounded(points: float) -> float:
    """To a millionth of a point, so that 50 by pencil is 50 and not 49.99999999999999."""
    return floor(points * 1e6 + 0.5) / 1e6


SEEN = 0.005
"""Half a hundredth of a point: what changes less is no news."""


def _apart(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) >= SEEN


class Assessment(NamedTuple):
    """Scores and points are 0…100, or None where no data backs them; coverage is the backed share of all weight, 0…1.

    `computed` is the score as the measures give it; `score` and `band` are what counts once knock-outs (`caps`, by name) and a
    person's override have had their say. By dimension: `dimensions` (its score). By measure: `values` (raw), `points` (through
    its curve) and `parts` (its share of the computed score in points; the parts sum to it). `frozen` names the measures that
    stand still because their source is silent for the whole fleet.
    """

    score: float | None
    band: str | None
    computed: float | None
    coverage: float
    dimensions: dict[str, float | None]
    values: dict[str, float | None]
    points: dict[str, float | None]
    parts: dict[str, float | None]
    caps: tuple[str, ...] = ()
    overridden: bool = False
    frozen: tuple[str, ...] = ()

    def differs(self, other: "Assessment | None") -> bool:
        """Whether a reader of hundredths of a point sees a difference."""
        if other is None or (self.band, self.caps, self.overridden, self.frozen) != (
            other.band, other.caps, other.overridden, other.frozen
        ):  # fmt: skip
            return True
        points = other.points
        if len(self.points) != len(points) or _apart(self.score, other.score):
            return True
        known = other.values  # a measure that is only watched has no points
        if any((each is None) is not (known.get(name) is None) for name, each in self.values.items()):
            return True
        return any(name not in points or _apart(each, points[name]) for name, each in self.points.items())

    def of(self, target: Target) -> float | None:
        """The number a threshold watches; None too where an assessment by another card did not know the target."""
        if target.kind == "score":
            return self.score
        if target.kind == "coverage":
            return self.coverage
        return (self.dimensions if target.kind == "dimension" else self.values).get(target.name)
