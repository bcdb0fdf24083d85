"""One look at an account: judge it, step its thresholds, say what moved, and foretell the next look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.compiled import CompiledCard, Watch
from health_score.domain.scoring import assess
from health_score.domain.thresholds import OUTSIDE, Direction, step
from health_score.domain.timers import next_instant

BACKFILL_GRACE_S = 15 * 60.0
"""How long after its last fact an import is taken to be still going on, unless its end is told."""

CauseKind = Literal["facts", "timer", "model"]


@dataclass(frozen=True, slots=True)
class MovedPart:
    """A measure whose part of the score moved, in points of the whole score; None where it has no part."""

    measure: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold entered or left. Account, threshold and `sequence` identify it, whenever and however often it is computed."""

    threshold: str
    sequence: int
    direction: Direction
    target: str
    level: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one look found. `changed` tells whether a reader could see a difference; `due` is when to look again (None: never)."""

    account_id: str
    at: float
    revision: int
    changed: bool
    backfilling: bool
    assessment: Assessment
    band_before: str | None
    crossings: tuple[Crossing, ...]
    moved: tuple[MovedPart, ...]
    cause_kind: CauseKind
    fact_ids: tuple[str, ...]
    due: float | None


def evaluate(
    card: CompiledCard,
    state: AccountState,
    now: float,
    fact_ids: Sequence[str] = (),
    cause_kind: CauseKind = "facts",
) -> Evaluation:
    """Look at the account at `now` (epoch seconds) and bring its state up to date: thresholds, last assessment, revision.

    While an import of history goes on, thresholds take up the state that the assessment gives at once and unannounced, and the
    next look is due when the import is taken to have ended: what time alone would change before that is nobody's news.
    """
    before, was_backfilling = state.last, state.backfill_until is not None
    silent = _take_backfill(state, now)
    assessment = assess(card, state, now)
    crossings: list[Crossing] = []
    for watch in card.watches:
        if silent:
            _settle(watch, state, assessment, now)
        elif (crossing := _crossing(watch, state, assessment, now)) is not None:
            crossings.append(crossing)
    backfilling = state.backfill_until is not None
    changed = (
        assessment != before or bool(crossings) or state.attributes_changed or backfilling != was_backfilling
    )
    state.last, state.attributes_changed = assessment, False
    state.revision += changed
    return Evaluation(
        account_id=state.account_id,
        at=now,
        revision=state.revision,
        changed=changed,
        backfilling=backfilling,
        assessment=assessment,
        band_before=None if before is None else before.band,
        crossings=tuple(crossings),
        moved=_moved(before, assessment),
        cause_kind=cause_kind,
        fact_ids=tuple(fact_ids),
        due=_due(card, state, assessment, now),
    )


def _take_backfill(state: AccountState, now: float) -> bool:
    """Bring the backfill marks up to date; whether this evaluation is part of a backfill, and so silent."""
    if state.backfill_begun:
        state.backfill_until = now + BACKFILL_GRACE_S
    silent = state.backfill_until is not None and now < state.backfill_until
    if state.backfill_ended or not silent:
        state.backfill_until = None
    state.backfill_begun = state.backfill_ended = False
    return silent


def _due(card: CompiledCard, state: AccountState, assessment: Assessment, now: float) -> float | None:
    if state.backfill_until is not None:
        return float(ceil(state.backfill_until))
    return next_instant(card, state, now, assessment=assessment)


def _settle(watch: Watch, state: AccountState, assessment: Assessment, now: float) -> None:
    """Take up the side that `enter` tells, as if from outside: however a history is split, its end decides alone."""
    stood = state.thresholds.get(watch.threshold.name, OUTSIDE)
    stands, _ = step(watch.settling, OUTSIDE, assessment.of(watch.target), assessment.coverage, now)
    state.thresholds[watch.threshold.name] = replace(stands, sequence=stood.sequence)


def _crossing(watch: Watch, state: AccountState, assessment: Assessment, now: float) -> Crossing | None:
    """Step one threshold; the crossing that this is, if any."""
    threshold = watch.threshold
    stood = state.thresholds.get(threshold.name, OUTSIDE)
    value = assessment.of(watch.target)
    stands, direction = step(threshold, stood, value, assessment.coverage, now)
    state.thresholds[threshold.name] = stands
    if direction is None:
        return None
    return Crossing(
        threshold=threshold.name,
        sequence=stands.sequence,
        direction=direction,
        target=threshold.target,
        level=threshold.enter if direction == "entered" else threshold.exit,
        before=None if state.last is None else state.last.of(watch.target),
        after=value,
    )


def _moved(before: Assessment | None, after: Assessment) -> tuple[MovedPart, ...]:
    """The parts that differ by a millionth of a point at least, the largest difference first."""
    known = {} if before is None else before.parts
    parts = [
        MovedPart(measure, was, part)
        for measure, part in after.parts.items()
        if (was := known.get(measure)) != part and _difference(was, part) >= 1e-6
    ]
    return tuple(sorted(parts, key=lambda part: -_difference(part.before, part.after)))


def _difference(before: float | None, after: float | None) -> float:
    return abs((after or 0.0) - (before or 0.0))
