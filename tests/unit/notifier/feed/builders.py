"""Snapshots and crossings as health-score publishes them, with defaults for all that a test does not speak of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.clock import START

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
from csm_common.kafka.record import Record

CARD = Scorecard(name="default", version=1)


def a_snapshot(
    revision: int = 1, score: float | None = 60.0, account: str = "acme", **members: Any
) -> AccountSnapshot:
    """An enterprise account, a minute after the revision before."""
    snapshot = AccountSnapshot(
        account_id=account,
        revision=revision,
        evaluated_at=START + timedelta(minutes=revision),
        score=score,
        band=band_of(score),
        coverage=0.8,
        scorecard=CARD,
        dimensions={"adoption": 30.0},
        measures={"logins": score, "tickets": 70.0},
        attributes={"name": "Acme", "segment": "enterprise", "owner": "maria", "plan": "pro", "arr": 120_000},
    )
    return replace(snapshot, **members)


def band_of(score: float | None) -> str | None:
    """As the card of these tests has it."""
    if score is None:
        return None
    return "critical" if score < 30 else "at_risk" if score < 50 else "neutral" if score < 75 else "healthy"


def a_crossing(account: str = "acme", **members: Any) -> Crossing:
    """The score fell below 50."""
    crossing = Crossing(
        account_id=account,
        threshold="at_risk",
        direction="entered",
        target="score",
        level=50.0,
        before=60.0,
        after=42.0,
        band_before="neutral",
        band_after="at_risk",
        occurred_at=START + timedelta(minutes=2),
        cause=Cause(kind="facts", fact_ids=["fact-1"]),
        parts=[MovedPart(measure="logins", before=30.0, after=15.0)],
        snapshot=a_snapshot(2, 42.0, account),
    )
    return replace(crossing, **members)


def snapshot_record(offset: int, snapshot: AccountSnapshot) -> Record:
    """A record of `health.accounts.v1`."""
    value = envelope.encode(
        id=f"{snapshot.account_id}/{snapshot.revision}",
        source="/csm/health-score",
        type=ACCOUNT_SCORED,
        subject=snapshot.account_id,
        time=snapshot.evaluated_at,
        data=snapshot,
    )
    return Record(HEALTH_ACCOUNTS.name, 0, offset, START.timestamp(), snapshot.account_id.encode(), value)


def tombstone(offset: int, account: str = "acme") -> Record:
    """The account is gone."""
    return Record(HEALTH_ACCOUNTS.name, 0, offset, START.timestamp(), account.encode(), None)


def crossing_record(offset: int, crossing: Crossing, id_: str = "crossing-1") -> Record:
    """A record of `health.crossings.v1`."""
    value = envelope.encode(
        id=id_,
        source="/csm/health-score",
        type=THRESHOLD_CROSSED,
        subject=crossing.account_id,
        time=crossing.occurred_at,
        data=crossing,
    )
    return Record(HEALTH_CROSSINGS.name, 0, offset, START.timestamp(), crossing.account_id.encode(), value)


def erasure_record(offset: int, account: str = "acme") -> Record:
    """The account is erased."""
    value = envelope.encode(
        id=f"erased-{account}",
        source="/csm/health-score",
        type=ACCOUNT_ERASED,
        subject=account,
        time=START,
        data=AccountErased(erasure_id="erasure-1"),
    )
    return Record(HEALTH_CROSSINGS.name, 0, offset, START.timestamp(), account.encode(), value)
