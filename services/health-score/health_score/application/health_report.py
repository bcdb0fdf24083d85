"""An account's health as a person reads it: every dimension and measure with value, points and part of the score, at `now`."""

from dataclasses import dataclass
from datetime import datetime

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.compiled import CompiledCard
from health_score.domain.explanation import when
from health_score.domain.look import look
from health_score.domain.scorecard import Dimension
from health_score.domain.silences import Silences
from health_score.domain.timers import next_change


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureHealth:
    """`value` is the raw reading, `points` 0…100 through the curve, `part` its points of the whole score; None: no data."""

    name: str
    weight: float
    value: float | None
    points: float | None
    part: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionHealth:
    """One aspect of the account's health; `score` is None where no measure has data."""

    name: str
    weight: float
    score: float | None
    measures: list[MeasureHealth]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The account at `evaluated_at`. `thresholds` lists those entered now; `next_change_at` is when, with no further fact, a
    band or threshold changes next. `computed` is the score before knock-outs (`caps`) and a person's override; `frozen` names the
    measures whose source is silent for the whole fleet."""

    account_id: str
    evaluated_at: datetime
    score: float | None
    band: str | None
    computed: float | None
    caps: list[str]
    overridden: bool
    frozen: list[str]
    coverage: float
    scorecard: str
    scorecard_version: int
    dimensions: list[DimensionHealth]
    thresholds: list[str]
    facts: int
    last_fact_at: datetime | None
    next_change_at: datetime | None
    backfilling: bool


def health_report(
    card: CompiledCard, state: AccountState, now: datetime, silences: Silences
) -> AccountHealth:
    """Judge the stored state at `now`."""
    seen = look(card, state, now.timestamp(), silences)
    found, change = seen.assessment, next_change(seen, state, now.timestamp())
    return AccountHealth(
        account_id=state.account_id,
        evaluated_at=now,
        score=found.score,
        band=found.band,
        computed=found.computed,
        caps=list(found.caps),
        overridden=found.overridden,
        frozen=list(found.frozen),
        coverage=found.coverage,
        scorecard=card.card.name,
        scorecard_version=card.card.version,
        dimensions=[_dimension(each, found) for each in card.card.dimensions],
        thresholds=[name for name, each in state.thresholds.items() if each.inside],
        facts=state.folded,
        last_fact_at=None if state.last_event_time is None else when(state.last_event_time),
        next_change_at=None if change is None else when(change),
        backfilling=state.backfill_until is not None,
    )


def _dimension(dimension: Dimension, found: Assessment) -> DimensionHealth:
    return DimensionHealth(
        name=dimension.name,
        weight=dimension.weight,
        score=found.dimensions[dimension.name],
        measures=[
            MeasureHealth(
                name=each.name,
                weight=each.weight,
                value=found.values[each.name],
                points=found.points[each.name],
                part=found.parts[each.name],
            )
            for each in dimension.measures
        ],
    )
