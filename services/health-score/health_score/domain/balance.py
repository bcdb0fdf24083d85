"""How the weights of a scorecard fall when only some measures have data: what is missing is spread, never read as neutral."""

from collections.abc import Collection
from dataclasses import dataclass
from math import fsum

from health_score.domain.scorecard import Dimension, Scorecard


@dataclass(frozen=True, slots=True)
class Balance:
    """Shares of the known measures, each summing to 1: of the `whole` score, and `within` their dimension.

    `coverage` is the share (0…1) of the card's total weight that is known.
    """

    coverage: float
    whole: dict[str, float]
    within: dict[str, dict[str, float]]


def balance(card: Scorecard, known: Collection[str]) -> Balance:
    """The balance when exactly the measures named in `known` have data."""
    within = {dimension.name: _within(dimension, known) for dimension in card.dimensions}
    weights = {dimension.name: dimension.weight for dimension in card.dimensions if within[dimension.name]}
    total = fsum(weights.values())
    whole = {
        measure: weights[name] / total * share
        for name, shares in within.items()
        for measure, share in shares.items()
    }
    return Balance(_coverage(card, known), whole, within)


def _within(dimension: Dimension, known: Collection[str]) -> dict[str, float]:
    weights = {
        each.name: each.weight for each in dimension.measures if each.name in known and each.weight > 0
    }
    total = fsum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _coverage(card: Scorecard, known: Collection[str]) -> float:
    total = fsum(dimension.weight for dimension in card.dimensions)
    covered = (
        dimension.weight
        * fsum(each.weight for each in dimension.measures if each.name in known)
        / fsum(each.weight for each in dimension.measures)
        for dimension in card.dimensions
    )
    return fsum(covered) / total
