"""Chains as requests tell them, and messages to explain."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.clock import START

from notifier.domain.notification import Status
from notifier.domain.reasons import Crossing, Fact, Measure, Reasons, Step
from notifier.domain.why import Chosen, Message, Ruled

CROSSING = Crossing(
    id="crossing-1",
    threshold="at_risk",
    direction="entered",
    target="score",
    level=50.0,
    before=63.25,
    after=44.4,
    occurred_at=START - timedelta(hours=2),
    cause="facts",
    band_before="neutral",
    band_after="at_risk",
    scorecard="default",
    scorecard_version=3,
    parts=[
        Measure(measure="usage_recency", before=30.0, after=22.0),
        Measure(measure="open_tickets", before=14.1, after=3.2),
    ],
    facts=[
        Fact(id="zd-881", type="csm.ticket.changed", occurred_at=START - timedelta(hours=2)),
        Fact(id="zd-882", type="csm.ticket.changed", occurred_at=START - timedelta(hours=2, minutes=1)),
    ],
)
REASONS = Reasons(
    run_id="run-1",
    step="tell_owner",
    playbook="account_at_risk",
    playbook_version=4,
    crossing_id="crossing-1",
    fact_ids=["zd-881", "zd-882"],
    playbook_title="An account has become at risk",
    run_started_at=START - timedelta(hours=2),
    entered="at_risk was entered: score went from 63.25 to 44.4, the level is 50.",
    steps=[
        Step(step="by_size", kind="branch", outcome="taken", at=START - timedelta(hours=2), path="large"),
        Step(step="pause", kind="wait", outcome="waited", at=START),
    ],
    crossing=CROSSING,
)
OLD = Reasons(
    run_id="run-1",
    step="tell_owner",
    playbook="account_at_risk",
    playbook_version=4,
    crossing_id="crossing-1",
    fact_ids=["zd-881", "zd-882"],
)
KIM = Chosen(
    kind="contact",
    contact_id="kim",
    name="Kim Park",
    why="owner: the account names contact kim as its owner",
)
SENT = Ruled(at=START, word="send", rule="none", reason="nothing speaks against it")


def a_message(**changes: Any) -> Message:
    """An email that was sent at START, a second after it was asked for."""
    message = Message(
        id="n-1",
        kind="outreach",
        account_id="acme",
        account="Acme",
        channel="email",
        category="health",
        message_class="internal",
        template="account_at_risk",
        status=Status.SENT,
        reason=None,
        held_by=None,
        requested_at=START,
        next_attempt_at=None,
        finished_at=START + timedelta(seconds=1),
        attempts=1,
        folded_into=None,
    )
    return replace(message, **changes)
