"""Builds explanations: of an account as it is now from its state, of one as it was from what was told of it then."""

from dataclasses import replace
from math import inf

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.compiled import CompiledCard, Gate, Watch
from health_score.domain.explained_measures import (
    Input,
    explain_dimension,
    inputs_of,
    inputs_told,
    weighing,
)
from health_score.domain.explanation import (
    Explanation,
    KnockoutExplanation,
    OverrideExplanation,
    ThresholdExplanation,
    instant,
    when,
)
from health_score.domain.foreseen import foresee, stands_as
from health_score.domain.leverage import helps_most
from health_score.domain.look import look
from health_score.domain.override import in_force
from health_score.domain.silences import Silences
from health_score.domain.thresholds import OUTSIDE, ready_at


def explain(card: CompiledCard, state: AccountState, now: float, silences: Silences) -> Explanation:
    """The account as it is at `now` (epoch seconds), down to the last events behind each measure."""
    seen = look(card, state, now, silences)
    found, inputs = seen.assessment, inputs_of(card, state, now, silences)
    return replace(
        _explanation(card, state.account_id, found, now, inputs),
        override=_override(card, state, now),
        thresholds=tuple(_threshold(each, state, found) for each in card.watches),
        foreseen=foresee(seen, state, now, silences),
        backfilling=state.backfill_until is not None,
    )


def explain_told(card: CompiledCard, account_id: str, found: Assessment, at: float) -> Explanation:
    """The account as it was told at `at` (epoch seconds)."""
    return _explanation(card, account_id, found, at, inputs_told(found))


def _explanation(
    card: CompiledCard, account_id: str, found: Assessment, at: float, inputs: dict[str, Input]
) -> Explanation:
    weighed = weighing(card, found)
    low, high = (None, None) if found.score is None else card.card.band_span(found.score)
    return Explanation(
        account_id=account_id,
        at=instant(at),
        scorecard=card.card.name,
        version=card.card.version,
        score=found.score,
        computed=found.computed,
        capped=_capped(card, found),
        band=found.band,
        band_from=low,
        band_below=None if high == inf else high,
        coverage=rounded(found.coverage),
        dimensions=tuple(explain_dimension(weighed, each, inputs, at) for each in card.card.dimensions),
        knockouts=tuple(_knockout(each, found) for each in card.gates),
        overridden=found.overridden,
        override=None,
        thresholds=(),
        foreseen=None,
        helps_most=helps_most(card, found, dict(weighed.shares)),
        backfilling=False,
    )


def _capped(card: CompiledCard, found: Assessment) -> float | None:
    """The computed score under the lowest knock-out in force."""
    if found.computed is None:
        return None
    return min([found.computed, *[each.highest for each in card.gates if each.knockout.name in found.caps]])


def _knockout(gate: Gate, found: Assessment) -> KnockoutExplanation:
    told, held = gate.knockout, gate.knockout.name in found.caps
    cost = found.computed - gate.highest if held and found.computed is not None else 0.0
    return KnockoutExplanation(
        name=told.name,
        target=told.target,
        direction=told.direction,
        level=told.level,
        value=found.of(gate.target),
        band=told.band,
        highest=gate.highest,
        in_force=held,
        cost=rounded(max(0.0, cost)),
        reason=told.reason,
    )


def _override(card: CompiledCard, state: AccountState, now: float) -> OverrideExplanation | None:
    said = in_force(state.override, card.card, now)
    if said is None:
        return None
    return OverrideExplanation(
        score=said.score,
        band=said.band,
        reason=said.reason,
        by=said.by,
        said_at=instant(said.time),
        until=instant(said.until),
    )


def _threshold(watch: Watch, state: AccountState, found: Assessment) -> ThresholdExplanation:
    told, value = watch.threshold, found.of(watch.target)
    stood = state.thresholds.get(told.name, OUTSIDE)
    level = told.exit if stood.inside else told.enter
    since = stood.since if stood.since is not None else stood.crossed_at
    return ThresholdExplanation(
        name=told.name,
        target=told.target,
        direction=told.direction,
        value=value,
        stands=stands_as(stood),
        since=None if since is None else when(since),
        enters_at=when(ready_at(told, stood)),
        level=level,
        distance=None if value is None else abs(level - value),
        min_coverage=told.min_coverage,
        enough_coverage=found.coverage >= told.min_coverage,
    )
