"""What a scorecard says of an account, written to be checked by eye: from the whole list of facts, in pencil steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.unit.health_score.domain import reference

from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.scorecard import Dimension, Knockout, Measure, Scorecard
from health_score.domain.signals import Ratio
from health_score.domain.signals.until import moment

Numbers = dict[str, float | None]


@dataclass
class Assessed:
    """The same numbers as an assessment's."""

    values: Numbers
    points: Numbers
    dimensions: Numbers
    coverage: float
    computed: float | None
    parts: Numbers
    caps: list[str]
    overridden: bool
    score: float | None
    band: str | None
    frozen: set[str]


def assessed(card: Scorecard, facts: Sequence[Fact], now: float, silences: Mapping[str, float]) -> Assessed:
    """The card's word on an account of which these are all facts."""
    stopped = {each.name: silent_since(each, silences) for each in card.measures}
    values: Numbers = {}
    for measure in card.measures:
        since = stopped[measure.name]
        values[measure.name] = reference.number_of(measure.signal, facts, now if since is None else since)
    points = {each.name: points_of(each, values[each.name]) for each in card.measures}
    dimensions = {
        each.name: weighed({m.name: m.weight for m in each.measures}, points) for each in card.dimensions
    }
    weights = {each.name: each.weight for each in card.dimensions}
    computed = weighed(weights, dimensions)
    caps = [each for each in card.knockouts if out(each, values, dimensions)]
    said = override(card, facts, now)
    score = held(card, computed, caps, said)
    return Assessed(
        values=values,
        points=points,
        dimensions=dimensions,
        coverage=sum(each.weight * known_share(each, points) for each in card.dimensions)
        / sum(weights.values()),
        computed=computed,
        parts={each.name: part(card, each, points, dimensions) for each in card.measures},
        caps=[each.name for each in caps],
        overridden=said is not None,
        score=score,
        band=None if score is None else [each.name for each in card.bands if each.low <= score + 1e-9][-1],
        frozen={name for name, since in stopped.items() if since is not None and values[name] is not None},
    )


def silent_since(measure: Measure, silences: Mapping[str, float]) -> float | None:
    """Since when one of its signals hears nothing at all, because all types of facts it reads are silent."""
    signals = (
        (measure.signal.of, measure.signal.to) if isinstance(measure.signal, Ratio) else (measure.signal,)
    )
    silent = [
        max(silences[type_] for type_ in each.select.types)
        for each in signals
        if set(each.select.types) <= set(silences)
    ]
    return min(silent) if silent else None


def points_of(measure: Measure, value: float | None) -> float | None:
    """Along the straight line between the two knots that the value lies between; level beyond the ends."""
    curve: Curve | None = measure.curve
    if value is None or curve is None:
        return None
    below = [knot for knot in curve.knots if knot[0] <= value]
    above = [knot for knot in curve.knots if knot[0] > value]
    if not below or not above:
        return above[0][1] if above else below[-1][1]
    (x0, y0), (x1, y1) = below[-1], above[0]
    return y0 + (y1 - y0) * (value - x0) / (x1 - x0)


def weighed(weights: Mapping[str, float], numbers: Numbers) -> float | None:
    """The weighed mean of what is known; a millionth is the smallest difference that counts."""
    known = {name: number for name, number in numbers.items() if number is not None and weights.get(name)}
    if not known:
        return None
    total = sum(weights[name] for name in known)
    return round(sum(weights[name] * number for name, number in known.items()) / total, 6)


def known_share(dimension: Dimension, points: Numbers) -> float:
    """The share of a dimension's weight whose measures have points."""
    known = sum(each.weight for each in dimension.measures if points[each.name] is not None)
    return known / sum(each.weight for each in dimension.measures)


def part(card: Scorecard, measure: Measure, points: Numbers, dimensions: Numbers) -> float | None:
    """What a measure brings of the computed score: its points, times its share of its dimension, times that one's share."""
    earned = points[measure.name]
    if earned is None or measure.weight == 0:
        return None
    [own] = [each for each in card.dimensions if measure in each.measures]
    within = sum(each.weight for each in own.measures if points[each.name] is not None)
    total = sum(each.weight for each in card.dimensions if dimensions[each.name] is not None)
    return earned * measure.weight / within * own.weight / total


def out(knockout: Knockout, values: Numbers, dimensions: Numbers) -> bool:
    """Whether a knock-out is in force."""
    kind, _, name = knockout.target.partition(":")
    number = (dimensions if kind == "dimension" else values)[name]
    if number is None:
        return False
    return number < knockout.level if knockout.direction == "below" else number > knockout.level


def override(card: Scorecard, facts: Sequence[Fact], now: float) -> tuple[float, float] | None:
    """The least and the greatest score that a person's newest word allows, while it holds."""
    said = [each for each in facts if each.type == "csm.override.cleared" or _says(each)]
    newest = max(said, key=lambda each: (each.time, each.id), default=None)
    if newest is None or newest.type == "csm.override.cleared":
        return None
    until = moment(newest.data.get("until"))
    assert until is not None
    if now >= until:
        return None
    score, band = newest.data.get("score"), newest.data.get("band")
    if score is not None:
        return score, score
    return _span(card, band) if band in {each.name for each in card.bands} else None


def _says(fact: Fact) -> bool:
    told = fact.data
    complete = moment(told.get("until")) is not None and bool(told.get("reason"))
    return fact.type == "csm.override.set" and complete and ("score" in told or "band" in told)


def _span(card: Scorecard, band: object) -> tuple[float, float]:
    """The scores of a band, in hundredths."""
    at = [each.name for each in card.bands].index(str(band))
    return card.bands[at].low, 100.0 if at + 1 == len(card.bands) else card.bands[at + 1].low - 0.01


def held(
    card: Scorecard, computed: float | None, caps: Sequence[Knockout], said: tuple[float, float] | None
) -> float | None:
    """The computed score, held by the person's word, or else by the lowest knock-out."""
    if said is not None:
        return said[0] if computed is None else min(max(computed, said[0]), said[1])
    if computed is None:
        return None
    return min([computed, *(_span(card, each.band)[1] for each in caps)])
