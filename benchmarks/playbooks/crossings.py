"""Crossings as health-score tells them, each of an account of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime

from csm_common.contracts import envelope
from csm_common.contracts.health import (
    THRESHOLD_CROSSED,
    AccountSnapshot,
    Cause,
    Crossing,
    MovedPart,
    Scorecard,
)
from csm_common.contracts.topics import HEALTH_CROSSINGS
from csm_common.database.outbox import Message

PLAYBOOK = """
name: benchmark
title: What the benchmark starts
trigger: {threshold: at_risk, direction: entered}
audience: "!has(account.stage) || account.stage != 'churned'"
entry: {once_per: 7d}
goal: {condition: "score != null && score >= 60.0", within: 30d}
exit_when: {left: [at_risk]}
steps:
  - {name: pause, wait: 30d}
  - name: tell
    notify:
      {channel: email, recipients: [{owner: true}], template: account_at_risk, category: health, message_class: internal}
  - {name: rest, wait: 30d}
"""


def crossings(accounts: int) -> Iterator[Message]:
    """One crossing of each account into at_risk."""
    now = datetime.now(UTC)
    return (_crossing(f"acct-{number}", now) for number in range(accounts))


def _crossing(account: str, now: datetime) -> Message:
    snapshot = AccountSnapshot(
        account_id=account,
        revision=2,
        evaluated_at=now,
        score=42.0,
        band="at_risk",
        coverage=0.8,
        scorecard=Scorecard(name="default", version=1),
        dimensions={"adoption": 31.0, "support": 55.5, "satisfaction": None, "outcome": 48.0},
        measures={f"measure_{number}": 40.0 + number for number in range(12)},
        attributes={"name": f"{account} Ltd", "owner": "dana", "arr": 120_000, "segment": "enterprise"},
        values={f"measure_{number}": 0.4 + number for number in range(12)},
        thresholds=["at_risk"],
    )
    crossing = Crossing(
        account_id=account,
        threshold="at_risk",
        direction="entered",
        target="score",
        level=50.0,
        before=54.0,
        after=42.0,
        band_before="neutral",
        band_after="at_risk",
        occurred_at=now,
        cause=Cause(kind="facts", fact_ids=[f"{account}-1", f"{account}-2"]),
        parts=[MovedPart(measure="measure_1", before=60.0, after=41.0)],
        snapshot=snapshot,
    )
    value = envelope.encode(
        id=f"crossing-{account}",
        source="/benchmark",
        type=THRESHOLD_CROSSED,
        subject=account,
        time=now,
        data=crossing,
    )
    return Message(HEALTH_CROSSINGS.name, account.encode(), value)
