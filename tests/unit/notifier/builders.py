"""Notifications, contacts and attempts with everything filled in that a test does not care about."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.clock import START

from csm_common.contracts.contacts import ContactRecorded
from notifier.application.ports import Begun, DirectoryEntry, Rendered
from notifier.domain.notification import Notification, Wanted
from notifier.domain.recipients import Contact, Recipient
from notifier.domain.retries import RetrySchedule

OWNER = Wanted("owner")
KIM = Contact(contact_id="kim", name="Kim Park", email="kim@vendor.example", role="owner")
RECIPIENT = Recipient("contact", "kim@vendor.example", "kim", "Kim Park")
RETRIES = RetrySchedule.parse("5s, 30s, 2m")
LEASE = timedelta(minutes=2)
WORDS = Rendered(subject="Acme is at risk", text="Call them.", html="<p>Call them.</p>")

CONTEXT: dict[str, Any] = {
    "account": {
        "name": "Acme",
        "owner": "kim",
        "arr": 48000,
        "currency": "EUR",
        "renewal_date": "2026-04-14",
    },
    "score": 44.4,
    "band": "at_risk",
    "coverage": 0.9,
    "crossing": {
        "threshold": "at_risk",
        "before": 63.2,
        "after": 44.4,
        "band_before": "neutral",
        "band_after": "at_risk",
        "parts": [
            {"measure": "usage_recency", "before": 30.0, "after": 22.0},
            {"measure": "open_tickets", "before": 14.1, "after": 3.2},
        ],
    },
    "playbook": {"name": "account_at_risk", "title": "An account has become at risk"},
}


def a_notification(id: str = "n-1", **changes: Any) -> Notification:
    """Acme has become at risk, for its owner, asked for at START."""
    fields: dict[str, Any] = {
        "account_id": "acme",
        "run_id": "run-1",
        "playbook": "account_at_risk",
        "playbook_version": 1,
        "step": "tell_owner",
        "channel": "email",
        "category": "health",
        "message_class": "internal",
        "template": "account_at_risk",
        "recipients": (OWNER,),
        "requested_at": START,
        "context": CONTEXT,
        "chain": {"crossing_id": "crossing-1", "fact_ids": ["fact-1"]},
    }
    return Notification(id=id, **{**fields, **changes})


def begun(
    notification: Notification | None = None,
    recipient: Recipient = RECIPIENT,
    attempt: int = 1,
    **changes: Any,
) -> Begun:
    """An attempt of START, ours for two minutes."""
    fields: dict[str, Any] = {
        "why": "owner: the account names contact kim as its owner",
        "endpoint": "mail",
        "tries": attempt,
        "lease_until": START + LEASE,
        "person": "kim's pseudonym",
    }
    asked = notification or a_notification()
    return Begun(notification=asked, recipient=recipient, attempt=attempt, **{**fields, **changes})


def an_entry(
    contact_id: str = "kim", at: datetime = START, account_id: str = "acme", **fields: Any
) -> DirectoryEntry:
    """A contact as it was told at `at`."""
    contact = ContactRecorded(account_id=account_id, contact_id=contact_id, **fields)
    return DirectoryEntry(f"{account_id}/{contact_id}".encode(), contact, at)
