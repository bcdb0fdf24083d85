"""What would help an account most: curves read backwards, from the points wanted to the nearest value that gives them."""

from itertools import pairwise
from math import inf

from health_score.domain.assessment import Assessment, rounded
from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve, Knot
from health_score.domain.explanation import Help


def nearest(curve: Curve, value: float, wanted: float) -> float | None:
    """The value nearest to `value` that gives at least `wanted` points; None if the curve never does."""
    knots = curve.knots
    ends = [(-inf, knots[0][0])] * (knots[0][1] >= wanted) + [(knots[-1][0], inf)] * (knots[-1][1] >= wanted)
    spans = ends + [span for left, right in pairwise(knots) if (span := _above(left, right, wanted))]
    found = [min(max(value, low), high) for low, high in spans]
    return min(found, key=lambda each: abs(each - value), default=None)


def _above(left: Knot, right: Knot, wanted: float) -> tuple[float, float] | None:
    """The values between two knots that give at least `wanted` points."""
    (x0, y0), (x1, y1) = left, right
    if max(y0, y1) < wanted:
        return None
    if min(y0, y1) >= wanted:
        return x0, x1
    turn = min(max(x0 + (wanted - y0) / (y1 - y0) * (x1 - x0), x0), x1)
    return (turn, x1) if y1 >= wanted else (x0, turn)


def next_band_at(card: CompiledCard, found: Assessment, measure: str, share: float) -> float | None:
    """The nearest value of one measure that alone lifts the computed score into the next band; None if none does."""
    value, points = found.values[measure], found.points[measure]
    curve = next(each.curve for each in card.reads if each.name == measure)
    if found.computed is None or value is None or points is None or curve is None or share <= 0.0:
        return None
    low = card.card.band_span(found.computed)[1]
    wanted = points + (low - found.computed) / share
    return nearest(curve, value, wanted) if wanted <= 100.0 else None


def helps_most(card: CompiledCard, found: Assessment, shares: dict[str, float]) -> Help | None:
    """The measure whose best value would add most to the computed score; None where nothing can be added."""
    gains: list[tuple[float, str, float]] = []
    for each in card.reads:
        value, points, share = found.values[each.name], found.points[each.name], shares.get(each.name)
        if each.curve is None or value is None or points is None or share is None:
            continue
        best = max(y for _, y in each.curve.knots)
        best_at = nearest(each.curve, value, best)
        if best_at is not None:
            gains.append((rounded(share * (best - points)), each.name, best_at))
    gain, name, best_at = max(gains, key=lambda each: each[0], default=(0.0, "", 0.0))
    if gain <= 0.0 or found.computed is None:
        return None
    low = card.card.band_span(found.computed)[1]
    return Help(
        measure=name,
        gain=gain,
        best_at=best_at,
        next_band=None if low == inf else card.card.band(low),
        next_band_at=next_band_at(card, found, name, shares[name]),
    )
