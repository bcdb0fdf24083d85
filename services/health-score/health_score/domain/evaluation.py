"""One evaluation of an account: look at it, step its thresholds, say what moved and why, and foretell the next look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, NamedTuple

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.comparison import LEAST, parts_of
from health_score.domain.compiled import CompiledCard, Watch
from health_score.domain.fact import Fact
from health_score.domain.look import Look, look
from health_score.domain.model import Model
from health_score.domain.silences import Silences
from health_score.domain.thresholds import OUTSIDE, Direction, ThresholdState, step
from health_score.domain.timers import next_change

BACKFILL_GRACE_S = 15 * 60.0
"""How long after its last fact an import is taken to be still going on, unless its end is told."""

CauseKind = Literal["facts", "timer", "model", "source"]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an account is looked at: facts by id (`event_at`: the newest event time of them), the passing of time, another model,
    or a source that fell silent or came back. What the last two bring starts no outreach, unless asked for.

    `facts` are those of the ids, for whoever tells of a crossing: of most looks there is nothing to tell.
    """

    kind: CauseKind = "facts"
    fact_ids: tuple[str, ...] = ()
    event_at: float | None = None
    outreach: bool = True
    facts: Sequence[Fact] = ()


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


class Evaluation(NamedTuple):
    """What one look found, compared with what was told last (`before`). `changed`: a reader can see a difference, so it is told,
    with the thresholds the account is inside of; `due` is when to look again (None: never)."""

    account_id: str
    card: CompiledCard
    at: float
    revision: int
    changed: bool
    backfilling: bool
    assessment: Assessment
    before: Assessment | None
    crossings: tuple[Crossing, ...]
    cause: Cause
    inside: tuple[str, ...] = ()
    due: float | None = None

    @property
    def band_before(self) -> str | None:
        """The band before this look."""
        return None if self.before is None else self.before.band

    @property
    def moved(self) -> tuple[MovedPart, ...]:
        """What moved, the largest difference first; worked out for whoever asks."""
        return _moved(self.before, self.assessment) if self.changed else ()


def evaluate(
    model: Model,
    state: AccountState,
    now: float,
    cause: Cause,
    rest_s: float | None = None,
) -> list[Evaluation]:
    """Look at the account at `now` (epoch seconds) and bring its state up to date: card, thresholds, last assessment, revision.

    One evaluation; two where facts arrive and another card judges from now on: what the facts changed is told by the card before,
    the rest is the model's doing and told as such. The last one says when the account is due; with `rest_s` it looks ahead only
    so far, and is due at the end of that at the latest.

    While an import of history goes on, thresholds take up the state that the assessment gives at once and unannounced, and the
    next look is due when the import is taken to have ended: what time alone would change before that is nobody's news.
    """
    before = None if state.card is None else model.known.get(state.card)
    card = _card(model, state, before)
    was_backfilling = state.backfill_until is not None
    silent = _take_backfill(state, now)
    found = []
    if state.card not in (None, card.id):
        if cause.kind == "facts" and before is not None:
            found.append(_evaluate(before, state, now, cause, model.silences, silent, was_backfilling))
            was_backfilling = state.backfill_until is not None
        cause = Cause("model", outreach=model.outreach and state.model != model.number)
    last = _evaluate(
        card, state, now, cause, model.silences, silent, was_backfilling, before, rest_s, last=True
    )
    state.card, state.model, state.attributes_changed = card.id, model.number, False
    return [*found, last]


def _card(model: Model, state: AccountState, before: CompiledCard | None) -> CompiledCard:
    """The card that judges from now on; the conditions are only asked where the answer may have changed."""
    if before is None or state.attributes_changed or state.model != model.number:
        return model.card_for(state.attributes)
    return before


def _evaluate(
    card: CompiledCard,
    state: AccountState,
    now: float,
    cause: Cause,
    silences: Silences,
    silent: bool,
    was_backfilling: bool,
    judged_before: CompiledCard | None = None,
    rest_s: float | None = None,
    *,
    last: bool = False,
) -> Evaluation:
    """One look by one card; the last one foretells the next."""
    before, seen = state.last, look(card, state, now, silences)
    assessment = seen.assessment
    crossings = [] if judged_before is None else _dropped(judged_before, card, state, before, now)
    settled = False
    for watch in card.watches:
        if silent:
            settled = _settle(watch, state, assessment, now) or settled
        elif (crossing := _crossing(watch, state, seen, now)) is not None:
            crossings.append(crossing)
    backfilling = state.backfill_until is not None
    changed = (
        assessment.differs(before)
        or bool(crossings)
        or settled
        or state.attributes_changed
        or backfilling != was_backfilling
        or state.card != card.id
    )
    if changed:
        state.last = assessment
        state.revision += 1
    return Evaluation(
        account_id=state.account_id,
        card=card,
        at=now,
        revision=state.revision,
        changed=changed,
        backfilling=backfilling,
        assessment=assessment,
        before=before,
        crossings=tuple(crossings),
        cause=cause,
        inside=tuple(name for name, each in state.thresholds.items() if each.inside) if changed else (),
        due=_due(seen, state, now, rest_s) if last else None,
    )


def _dropped(
    before: CompiledCard, card: CompiledCard, state: AccountState, last: Assessment | None, now: float
) -> list[Crossing]:
    """The thresholds that the new card does not have are left, so that nothing begun by them goes on for ever; none waits on."""
    kept = {watch.threshold.name for watch in card.watches}
    crossings = []
    for watch in before.watches:
        threshold, stood = watch.threshold, state.thresholds.get(watch.threshold.name, OUTSIDE)
        if threshold.name in kept:
            continue
        if not stood.inside:
            if stood.since is not None:
                state.thresholds[threshold.name] = replace(stood, since=None)
            continue
        stands = ThresholdState(False, None, now, stood.sequence + 1)
        state.thresholds[threshold.name] = stands
        was = None if last is None else last.of(watch.target)
        crossings.append(
            Crossing(threshold.name, stands.sequence, "left", threshold.target, threshold.exit, was, None)
        )
    return crossings


def _take_backfill(state: AccountState, now: float) -> bool:
    """Bring the backfill marks up to date; whether this evaluation is part of a backfill, and so silent."""
    if state.backfill_begun:
        state.backfill_until = now + BACKFILL_GRACE_S
    silent = state.backfill_until is not None and now < state.backfill_until
    if state.backfill_ended or not silent:
        state.backfill_until = None
    state.backfill_begun = state.backfill_ended = False
    return silent


def _due(seen: Look, state: AccountState, now: float, rest_s: float | None) -> float | None:
    if rest_s is None:
        return next_change(seen, state, now)
    found = next_change(seen, state, now, rest_s)
    return float(ceil(now + rest_s)) if found is None else found


def _settle(watch: Watch, state: AccountState, assessment: Assessment, now: float) -> bool:
    """Take up the side that `enter` tells, as if from outside: however a history is split, its end decides alone. Whether that
    is another side than before."""
    stood = state.thresholds.get(watch.threshold.name, OUTSIDE)
    stands, _ = step(watch.settling, OUTSIDE, assessment.of(watch.target), assessment.coverage, now)
    settled = replace(stands, sequence=stood.sequence)
    if settled != stood:
        state.thresholds[watch.threshold.name] = settled
    return settled.inside != stood.inside


def _crossing(watch: Watch, state: AccountState, seen: Look, now: float) -> Crossing | None:
    """Step one threshold; the crossing that this is, if any."""
    threshold, value = watch.threshold, seen.numbers[watch.at]
    stood = state.thresholds.get(threshold.name, OUTSIDE)
    if value is None and stood is OUTSIDE:
        return None
    stands, direction = step(threshold, stood, value, seen.assessment.coverage, now)
    if stands is not stood:
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
    """The parts that differ by a millionth of a point at least, those the card before had too, the largest difference first."""
    parts = [
        MovedPart(measure, was, part)
        for measure, was, part in parts_of(before, after)
        if was != part and _difference(was, part) >= LEAST
    ]
    return tuple(sorted(parts, key=lambda part: -_difference(part.before, part.after)))


def _difference(before: float | None, after: float | None) -> float:
    return abs((after or 0.0) - (before or 0.0))
