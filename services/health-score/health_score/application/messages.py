"""What health-score tells others: snapshots and crossings in the contracts' words."""

from datetime import UTC, datetime

import msgspec

from csm_common.contracts import envelope
from csm_common.contracts.facts import ACCOUNT_ERASED, AccountErased
from csm_common.contracts.health import (
    ACCOUNT_SCORED,
    THRESHOLD_CROSSED,
    AccountSnapshot,
    Cause,
    CausingFact,
    Crossing,
    MovedPart,
    Override,
    Scorecard,
)
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from health_score.application.ports import StoredCrossing
from health_score.domain import evaluation
from health_score.domain.account import AccountState
from health_score.domain.evaluation import Evaluation
from health_score.domain.fact import Fact

SOURCE = "/csm/health-score"

_encoder = msgspec.json.Encoder()


def instant(seconds: float) -> datetime:
    """Epoch seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def snapshot_of(state: AccountState, found: Evaluation) -> AccountSnapshot:
    """The account's health as others see it."""
    assessed, card = found.assessment, found.card.card
    return AccountSnapshot(
        account_id=state.account_id,
        revision=found.revision,
        evaluated_at=instant(found.at),
        score=assessed.score,
        band=assessed.band,
        coverage=assessed.coverage,
        scorecard=Scorecard(name=card.name, version=card.version),
        dimensions=assessed.dimensions,
        measures=assessed.points,
        attributes=state.attributes,
        backfilling=found.backfilling,
        values=assessed.values,
        computed=assessed.computed,
        caps=list(assessed.caps),
        override=_override(state) if assessed.overridden else None,
        frozen=list(assessed.frozen),
        thresholds=list(found.inside),
    )


def _override(state: AccountState) -> Override | None:
    said = state.override
    if said is None:
        return None
    return Override(
        score=said.score, band=said.band, reason=said.reason, until=instant(said.until), by=said.by
    )


def snapshot_message(snapshot: AccountSnapshot, encoded: bytes, traceparent: str | None = None) -> Message:
    """The snapshot for the compacted topic; `encoded` is the same as JSON."""
    account = snapshot.account_id
    value = envelope.encode(
        id=derived_id("snapshot", account, snapshot.revision),
        source=SOURCE,
        type=ACCOUNT_SCORED,
        subject=account,
        time=snapshot.evaluated_at,
        data=msgspec.Raw(encoded),
    )
    return Message(HEALTH_ACCOUNTS.name, account.encode(), value, _headers(traceparent))


def stored_crossings(
    snapshot: AccountSnapshot, found: Evaluation, erased_revision: int = 0
) -> list[StoredCrossing]:
    """The crossings of an evaluation, each with the snapshot that it led to.

    Sequences are counted on from `erased_revision`: an account has at most as many crossings of a threshold as revisions, so the
    crossings of one that begins afresh after an erasure have ids that none had before.
    """
    if not found.crossings:
        return []
    parts = [MovedPart(measure=each.measure, before=each.before, after=each.after) for each in found.moved]
    told = found.cause
    cause = Cause(
        kind=told.kind,
        fact_ids=list(told.fact_ids),
        outreach=told.outreach,
        facts=[
            CausingFact(id=each.id, type=each.type, occurred_at=instant(each.time)) for each in told.facts
        ],
    )
    return [
        StoredCrossing(
            id=derived_id("crossing", snapshot.account_id, each.threshold, erased_revision + each.sequence),
            account_id=snapshot.account_id,
            revision=snapshot.revision,
            occurred_at=snapshot.evaluated_at,
            threshold=each.threshold,
            direction=each.direction,
            cause=told.kind,
            crossing=_encoder.encode(_crossing(snapshot, found, each, cause, parts)),
        )
        for each in found.crossings
    ]


def _crossing(
    snapshot: AccountSnapshot,
    found: Evaluation,
    each: evaluation.Crossing,
    cause: Cause,
    parts: list[MovedPart],
) -> Crossing:
    return Crossing(
        account_id=snapshot.account_id,
        threshold=each.threshold,
        direction=each.direction,
        target=each.target,
        level=each.level,
        before=each.before,
        after=each.after,
        band_before=found.band_before,
        band_after=snapshot.band,
        occurred_at=snapshot.evaluated_at,
        cause=cause,
        parts=parts,
        snapshot=snapshot,
    )


def crossing_message(crossing: StoredCrossing, traceparent: str | None = None) -> Message:
    """A crossing for its topic."""
    value = envelope.encode(
        id=crossing.id,
        source=SOURCE,
        type=THRESHOLD_CROSSED,
        subject=crossing.account_id,
        time=crossing.occurred_at,
        data=msgspec.Raw(crossing.crossing),
    )
    return Message(HEALTH_CROSSINGS.name, crossing.account_id.encode(), value, _headers(traceparent))


def erasure_messages(erased: Fact, traceparent: str | None = None) -> list[Message]:
    """That an account is erased: the end of its snapshot, and, in order with its crossings, that they are void."""
    account = erased.account_id
    value = envelope.encode(
        id=derived_id("erased", account, erased.id),
        source=SOURCE,
        type=ACCOUNT_ERASED,
        subject=account,
        time=instant(erased.time),
        data=AccountErased(erasure_id=erased.data.get("erasure_id")),
    )
    headers = _headers(traceparent)
    return [
        Message(HEALTH_ACCOUNTS.name, account.encode(), None, headers),
        Message(HEALTH_CROSSINGS.name, account.encode(), value, headers),
    ]


def encode_snapshot(snapshot: AccountSnapshot) -> bytes:
    """The JSON that is stored beside the state and served."""
    return _encoder.encode(snapshot)


def _headers(traceparent: str | None) -> dict[str, str]:
    return {"traceparent": traceparent} if traceparent else {}
