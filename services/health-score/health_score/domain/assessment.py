"""What the model says of an account at one instant, with everything needed to recompute it."""

from dataclasses import dataclass
from math import floor

from health_score.domain.scorecard import Target


def rounded(points: float) -> float:
    """To a millionth of a point, so that 50 by pencil is 50 and not 49.99999999999999."""
    return floor(points * 1e6 + 0.5) / 1e6


@dataclass(frozen=True, slots=True)
class Assessment:
    """Scores and points are 0…100, or None where no data backs them; coverage is the backed share of all weight, 0…1.

    By dimension: `dimensions` (its score). By measure: `values` (raw), `points` (through its curve) and `parts` (its share of
    the score in points; the parts sum to the score).
    """

    score: float | None
    band: str | None
    coverage: float
    dimensions: dict[str, float | None]
    values: dict[str, float | None]
    points: dict[str, float | None]
    parts: dict[str, float | None]

    def of(self, target: Target) -> float | None:
        """The number a threshold watches; None too where an assessment by another card did not know the target."""
        if target.kind == "score":
            return self.score
        if target.kind == "coverage":
            return self.coverage
        return (self.dimensions if target.kind == "dimension" else self.values).get(target.name)
