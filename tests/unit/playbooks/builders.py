"""Playbooks, snapshots and crossings for tests, with defaults for all that a test does not speak of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from tests.support.clock import START

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
    Scorecard,
)
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS
from csm_common.kafka.record import Record
from playbooks.application.model import ReceivedCrossing, ReceivedSnapshot
from playbooks.domain.definition import Definition, Direction, Trigger
from playbooks.domain.run import Run
from playbooks.domain.steps import Notify, Recipient, Step, Task

NOTIFY = Step(
    name="tell",
    notify=Notify(
        channel="email",
        recipients=(Recipient(owner=True), Recipient(role="champion"), Recipient(contact="c-7")),
        template="account_at_risk",
        category="health",
        message_class="internal",
    ),
)
WAIT = Step(name="wait", wait="2d")
TASK = Step(
    name="follow_up",
    task=Task(type="follow_up", title="Call them", reason="at_risk", assignee="owner", due_in="1d"),
)


def a_definition(
    name: str = "account_at_risk",
    steps: Sequence[Step] = (NOTIFY, WAIT, TASK),
    threshold: str = "at_risk",
    direction: Direction = "entered",
    **members: Any,
) -> Definition:
    """A playbook that tells, waits and opens a task."""
    trigger = Trigger(threshold=threshold, direction=direction)
    return Definition(name=name, title="At risk", trigger=trigger, steps=tuple(steps), **members)


def a_snapshot(account: str = "acme", revision: int = 1, **members: Any) -> AccountSnapshot:
    """An account at 42 points whose owner is maria."""
    snapshot = AccountSnapshot(
        account_id=account,
        revision=revision,
        evaluated_at=START,
        score=42.0,
        band="at_risk",
        coverage=0.8,
        scorecard=Scorecard(name="default", version=1),
        dimensions={"adoption": 30.0},
        measures={"logins": 20.0},
        attributes={"name": "Acme", "owner": "maria", "plan": "pro"},
    )
    return replace(snapshot, **members)


def a_crossing(
    account: str = "acme",
    threshold: str = "at_risk",
    direction: Literal["entered", "left"] = "entered",
    occurred_at: datetime = START,
    snapshot: AccountSnapshot | None = None,
) -> Crossing:
    """A threshold at 50 points was crossed because of two facts."""
    before, after = (57.0, 42.0) if direction == "entered" else (42.0, 57.0)
    return Crossing(
        account_id=account,
        threshold=threshold,
        direction=direction,
        target="score",
        level=50.0,
        before=before,
        after=after,
        band_before="neutral",
        band_after="at_risk",
        occurred_at=occurred_at,
        cause=Cause(
            kind="facts",
            fact_ids=["fact-1", "fact-2"],
            facts=[
                CausingFact(id=f"fact-{n}", type="csm.ticket.changed", occurred_at=START - timedelta(hours=n))
                for n in (1, 2)
            ],
        ),
        parts=[MovedPart(measure="logins", before=30.0, after=15.0)],
        snapshot=snapshot or a_snapshot(account),
    )


def received(
    crossing_id: str, crossing: Crossing | None = None, traceparent: str | None = None
) -> ReceivedCrossing:
    """The crossing as the consumer hands it on."""
    crossing = crossing or a_crossing()
    return ReceivedCrossing(
        id=crossing_id, crossing=crossing, data=msgspec.json.encode(crossing), traceparent=traceparent
    )


def received_snapshot(snapshot: AccountSnapshot) -> ReceivedSnapshot:
    """The snapshot as the consumer hands it on."""
    return ReceivedSnapshot(snapshot=snapshot, data=msgspec.json.encode(snapshot))


def a_run(run_id: str = "run-1", **members: Any) -> Run:
    """A run that was started at START and is due."""
    run = Run(
        id=run_id,
        playbook="account_at_risk",
        version=1,
        account_id="acme",
        crossing_id="crossing-1",
        started_at=START,
        due_at=START,
        purpose=members.get("playbook", "account_at_risk"),
        step="tell",
    )
    return replace(run, **members)


def crossing_value(crossing_id: str, crossing: Crossing) -> bytes:
    """The bytes health-score publishes for a crossing."""
    return envelope.encode(
        id=crossing_id,
        source="/csm/health-score",
        type=THRESHOLD_CROSSED,
        subject=crossing.account_id,
        time=crossing.occurred_at,
        data=crossing,
    )


def snapshot_value(snapshot: AccountSnapshot) -> bytes:
    """The bytes health-score publishes for a snapshot."""
    return envelope.encode(
        id=f"{snapshot.account_id}/{snapshot.revision}",
        source="/csm/health-score",
        type=ACCOUNT_SCORED,
        subject=snapshot.account_id,
        time=snapshot.evaluated_at,
        data=snapshot,
    )


def erasure_value(account: str = "acme") -> bytes:
    """The bytes health-score publishes among the crossings of an account that is erased."""
    return envelope.encode(
        id=f"erased-{account}",
        source="/csm/health-score",
        type=ACCOUNT_ERASED,
        subject=account,
        time=START,
        data=AccountErased(erasure_id="erasure-1"),
    )


def crossing_record(offset: int, value: bytes | None, traceparent: str | None = None) -> Record:
    """A record of `health.crossings.v1`."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
    return Record(HEALTH_CROSSINGS.name, 0, offset, at, b"acme", value, traceparent)


def snapshot_record(offset: int, value: bytes | None, key: bytes = b"acme") -> Record:
    """A record of `health.accounts.v1`."""
    return Record(HEALTH_ACCOUNTS.name, 0, offset, START.timestamp(), key, value)
