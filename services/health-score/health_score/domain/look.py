"""One look at an account: every measure's number and its way through time, and what they make of the score."""

from math import fsum, inf
from typing import NamedTuple

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.balance import Balance
from health_score.domain.compiled import CompiledCard, Read
from health_score.domain.forms import Still
from health_score.domain.override import in_force
from health_score.domain.scorecard import Scorecard
from health_score.domain.signals import Reading
from health_score.domain.silences import NOTHING_SILENT, Silences

Hold = tuple[float, float]
"""The least and the greatest score that knock-outs and an override allow."""

FREE: Hold = (-inf, inf)


class Look(NamedTuple):
    """What was seen at one instant: the readings by measure (None: nothing known), the assessment, what holds its score, and the
    number of each of the card's targets."""

    card: CompiledCard
    readings: tuple[Reading | None, ...]
    assessment: Assessment
    hold: Hold
    numbers: tuple[float | None, ...]


def look(card: CompiledCard, state: AccountState, now: float, silences: Silences = NOTHING_SILENT) -> Look:
    """What the card says of the account at `now` (epoch seconds). Changes nothing."""
    readings, frozen = _readings(card, state, silences)
    values: dict[str, float | None] = {}
    points: dict[str, float | None] = {}
    for measure, reading in zip(card.reads, readings, strict=True):
        value = None if reading is None else reading.at(now)
        values[measure.name] = value
        points[measure.name] = None if value is None or measure.curve is None else measure.curve.points(value)
    return _weighed(card, state, now, readings, values, points, frozen)


def assess(
    card: CompiledCard, state: AccountState, now: float, silences: Silences = NOTHING_SILENT
) -> Assessment:
    """The assessment alone."""
    return look(card, state, now, silences).assessment


def _readings(
    card: CompiledCard, state: AccountState, silences: Silences
) -> tuple[tuple[Reading | None, ...], tuple[str, ...]]:
    """The readings, those of silent sources standing still, and the names of these."""
    signals = state.signals
    found = [each.reading(signals) for each in card.reads]
    if not silences:
        return tuple(found), ()
    frozen = []
    for at, measure in enumerate(card.reads):
        since, reading = silent_since(measure, silences), found[at]
        if since is not None and reading is not None:
            value = reading.at(since)
            found[at] = None if value is None else Reading(Still(value), -inf, inf)
            frozen.append(measure.name)
    return tuple(found), tuple(frozen)


def silent_since(measure: Read, silences: Silences) -> float | None:
    """Since when one of the measure's signals is cut off from all of its fact types; None if none is."""
    cut = [
        max(silences[type_] for type_ in types)
        for types in measure.types
        if all(type_ in silences for type_ in types)
    ]
    return min(cut, default=None)


def _weighed(
    card: CompiledCard,
    state: AccountState,
    now: float,
    readings: tuple[Reading | None, ...],
    values: dict[str, float | None],
    points: dict[str, float | None],
    frozen: tuple[str, ...],
) -> Look:
    earned = {name: each for name, each in points.items() if each is not None}
    balance = card.balance(tuple(earned))
    whole = balance.whole
    parts = {name: whole[name] * earned[name] if name in whole else None for name in points}
    computed = rounded(fsum([part for part in parts.values() if part is not None])) if whole else None
    dimensions = _dimensions(balance, earned)
    caps, hold, overridden = _hold(card, state, now, values, dimensions)
    score = _held(computed, hold, overridden)
    assessment = Assessment(
        score=score,
        band=None if score is None else card.card.band(score),
        computed=computed,
        coverage=balance.coverage,
        dimensions=dimensions,
        values=values,
        points=points,
        parts=parts,
        caps=caps,
        overridden=overridden,
        frozen=frozen,
    )
    return Look(card, readings, assessment, hold, tuple([assessment.of(each) for each in card.targets]))


def _dimensions(balance: Balance, earned: dict[str, float]) -> dict[str, float | None]:
    return {
        name: rounded(fsum([share * earned[measure] for measure, share in shares.items()]))
        if shares
        else None
        for name, shares in balance.within.items()
    }


def _hold(
    card: CompiledCard,
    state: AccountState,
    now: float,
    values: dict[str, float | None],
    dimensions: dict[str, float | None],
) -> tuple[tuple[str, ...], Hold, bool]:
    """The knock-outs in force, what holds the score, and whether a person says so: their word goes before any knock-out."""
    held = [
        gate
        for gate in card.gates
        if gate.knockout.holds((dimensions if gate.target.kind == "dimension" else values)[gate.target.name])
    ]
    caps = tuple(gate.knockout.name for gate in held)
    said = None if state.override is None else in_force(state.override, card.card, now)
    if said is None:
        return caps, (-inf, min([gate.highest for gate in held], default=inf)), False
    return caps, _said(card.card, said.score, said.band), True


def _said(card: Scorecard, score: float | None, band: str | None) -> Hold:
    if score is not None:
        return score, score
    return card.lowest(band or "") or 0.0, card.highest(band or "") or 0.0


def _held(computed: float | None, hold: Hold, overridden: bool) -> float | None:
    """The score within the hold; where nothing is known, an override is the score."""
    if computed is None:
        return hold[0] if overridden else None
    return min(max(computed, hold[0]), hold[1])
