"""Explains measures: where a number comes from, which line of the curve it lies on, and what it earns and misses of the score."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, inf

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.compiled import CompiledCard, Read
from health_score.domain.curve import Curve
from health_score.domain.explanation import (
    DimensionExplanation,
    Event,
    Freshness,
    MeasureExplanation,
    Segment,
    when,
)
from health_score.domain.forms import DAY_S
from health_score.domain.leverage import next_band_at
from health_score.domain.look import silent_since
from health_score.domain.scorecard import Dimension, Measure
from health_score.domain.signals import SIGNALS, Selector, key_of
from health_score.domain.silences import Silences

_KINDS = {type_: kind for kind, type_ in SIGNALS.items()}


@dataclass(frozen=True, slots=True)
class Input:
    """How a measure's number is backed; times in epoch seconds, infinite where there is none."""

    state: Freshness
    since: float = inf
    expires: float = inf
    events: tuple[Event, ...] = ()


def inputs_of(card: CompiledCard, state: AccountState, now: float, silences: Silences) -> dict[str, Input]:
    """By measure, from the account's state."""
    return {each.name: _input(each, state, now, silences) for each in card.reads}


def inputs_told(found: Assessment) -> dict[str, Input]:
    """By measure, as far as an assessment tells."""
    return {
        name: Input("frozen" if name in found.frozen else "missing" if value is None else "fresh")
        for name, value in found.values.items()
    }


def _input(measure: Read, state: AccountState, now: float, silences: Silences) -> Input:
    events = _events(measure, state)
    known = measure.reading(state.signals)
    if known is None:
        return Input("missing", events=events)
    silent = silent_since(measure, silences) if silences else None
    if silent is not None:
        return Input("frozen", silent, events=events)
    if now < known.begins:
        return Input("maturing", known.begins, events=events)
    if now >= known.ends:
        return Input("expired", known.ends, events=events)
    return Input("fresh", expires=known.ends, events=events)


def _events(measure: Read, state: AccountState) -> tuple[Event, ...]:
    """The newest facts of every signal of the measure, the newest first."""
    feeds = {key_of(Selector(each.select.types, each.select.where)) for each in measure.signals}
    trail = {entry for feed in feeds for entry in state.trails.get(feed, [])}
    found = [(when(time), id_, type_) for time, id_, type_ in sorted(trail, reverse=True)]
    return tuple(Event(time, id_, type_) for time, id_, type_ in found if time is not None)


@dataclass(frozen=True, slots=True)
class Weighing:
    """An assessment with the shares of the score that its measures have, and those they would have if all were known."""

    card: CompiledCard
    found: Assessment
    shares: Mapping[str, float]
    full: Mapping[str, float]


def weighing(card: CompiledCard, found: Assessment) -> Weighing:
    """The shares, by the same balance that made the score."""
    known = tuple([name for name, points in found.points.items() if points is not None])
    every = tuple([each.name for each in card.card.measures])
    return Weighing(card, found, card.balance(known).whole, card.balance(every).whole)


def explain_dimension(
    weighed: Weighing, dimension: Dimension, inputs: Mapping[str, Input], at: float
) -> DimensionExplanation:
    """One dimension with its measures and their sums."""
    measures = tuple([_measure(weighed, each, inputs[each.name], at) for each in dimension.measures])
    return DimensionExplanation(
        name=dimension.name,
        weight=dimension.weight,
        score=weighed.found.dimensions[dimension.name],
        full_share=_sum(each.full_share for each in measures),
        share=_sum(each.share for each in measures),
        earned=_sum(each.earned for each in measures),
        missed=_sum(each.missed for each in measures),
        measures=measures,
    )


def _sum(parts: Iterable[float | None]) -> float:
    return rounded(fsum(part for part in parts if part is not None))


def _measure(weighed: Weighing, measure: Measure, source: Input, at: float) -> MeasureExplanation:
    found, name, curve = weighed.found, measure.name, measure.curve
    value, points, share = found.values[name], found.points[name], weighed.shares.get(name)
    counts = points is not None and share is not None
    newest = source.events[0].time.timestamp() if source.events else None
    return MeasureExplanation(
        name=name,
        title=measure.title or name.replace("_", " ").capitalize(),
        unit=measure.unit,
        kind=_KINDS[type(measure.signal)],
        weight=measure.weight,
        value=value,
        curve=() if curve is None else curve.knots,
        segment=None if curve is None or value is None else _segment(curve, value),
        points=None if points is None else rounded(points),
        full_share=rounded(weighed.full.get(name, 0.0)),
        share=rounded(share) if counts and share is not None else None,
        earned=rounded(share * points) if share is not None and points is not None else None,
        missed=rounded(share * (100.0 - points)) if share is not None and points is not None else None,
        state=source.state,
        since=when(source.since),
        expires_at=when(source.expires),
        age_days=None if newest is None else rounded((at - newest) / DAY_S),
        events=source.events,
        next_band_at=next_band_at(weighed.card, found, name, share or 0.0),
    )


def _segment(curve: Curve, value: float) -> Segment:
    at = bisect_right(curve.values, value)
    knots = curve.knots
    return Segment(knots[at - 1] if at else None, knots[at] if at < len(knots) else None)
