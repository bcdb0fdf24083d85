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
    Crossing,
    MovedPart,
    Scorecard,
)
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from health_score.domain import scorecard
from health_score.domain.account import AccountState
from health_score.domain.evaluation import Evaluation
from health_score.domain.fact import Fact

SOURCE = "/csm/health-score"

_encoder = msgspec.json.Encoder()


def instant(seconds: float) -> datetime:
    """Epoch seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def snapshot_of(card: scorecard.Scorecard, state: AccountState, found: Evaluation) -> AccountSnapshot:
    """The account's health as others see it; measures are given in points."""
    assessed = found.assessment
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
        attributes=dict(state.attributes),
        backfilling=found.backfilling,
    )


def snapshot_message(snapshot: AccountSnapshot, traceparent: str | None = None) -> Message:
    """The snapshot for the compacted topic."""
    account = snapshot.account_id
    value = envelope.encode(
        id=derived_id("snapshot", account, snapshot.revision),
        source=SOURCE,
        type=ACCOUNT_SCORED,
        subject=account,
        time=snapshot.evaluated_at,
        data=snapshot,
    )
    return Message(HEALTH_ACCOUNTS.name, account.encode(), value, _headers(traceparent))


def crossing_messages(
    snapshot: AccountSnapshot, found: Evaluation, traceparent: str | None = None, erased_revision: int = 0
) -> list[Message]:
    """One message per crossing, each with the snapshot that it led to.

    Sequences are counted on from `erased_revision`: an account has at most as many crossings of a threshold as revisions, so the
    crossings of one that begins afresh after an erasure have ids that none had before.
    """
    parts = [MovedPart(measure=each.measure, before=each.before, after=each.after) for each in found.moved]
    cause = Cause(kind=found.cause_kind, fact_ids=list(found.fact_ids))
    return [
        _crossing_message(
            Crossing(
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
            ),
            erased_revision + each.sequence,
            traceparent,
        )
        for each in found.crossings
    ]


def _crossing_message(data: Crossing, sequence: int, traceparent: str | None) -> Message:
    value = envelope.encode(
        id=derived_id("crossing", data.account_id, data.threshold, sequence),
        source=SOURCE,
        type=THRESHOLD_CROSSED,
        subject=data.account_id,
        time=data.occurred_at,
        data=data,
    )
    return Message(HEALTH_CROSSINGS.name, data.account_id.encode(), value, _headers(traceparent))


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
