"""Real examples for the OpenAPI document: every one of them is sent through the door by a test."""

from typing import Any

DATA: dict[str, dict[str, Any]] = {
    "csm.usage.recorded": {"feature": "report_exported", "user_id": "u-17", "quantity": 3},
    "csm.ticket.changed": {
        "ticket_id": "T-4711",
        "status": "open",
        "priority": "urgent",
        "escalated": True,
        "topic": "sso",
    },
    "csm.survey.answered": {
        "kind": "nps",
        "score": 9,
        "respondent_id": "u-17",
        "comment": "Saves us a day a week.",
    },
    "csm.invoice.changed": {
        "invoice_id": "in-2026-031",
        "status": "failed",
        "amount": 1200.0,
        "currency": "EUR",
        "due": "2026-03-15",
    },
    "csm.subscription.changed": {
        "subscription_id": "sub-9",
        "status": "active",
        "plan": "business",
        "mrr": 1200.0,
        "currency": "EUR",
        "seats": 40,
        "term_end": "2026-12-31",
        "auto_renew": True,
    },
    "csm.account.changed": {
        "name": "Acme GmbH",
        "segment": "mid_market",
        "owner": "c-2",
        "arr": 14400.0,
        "currency": "EUR",
        "renewal_date": "2026-12-31",
        "attributes": {"industry": "logistics"},
    },
    "csm.contact.changed": {
        "contact_id": "c-17",
        "name": "Kim Sommer",
        "email": "kim@acme.example",
        "role": "champion",
        "consents": {"product_news": True},
    },
    "csm.goal.changed": {
        "goal_id": "g-1",
        "title": "Month-end closing in two days",
        "baseline": 6,
        "target": 2,
        "current": 3,
        "due": "2026-06-30",
    },
    "csm.touchpoint.occurred": {
        "touchpoint": "quarterly_review",
        "channel": "video",
        "direct": True,
        "participants": ["c-17", "c-2"],
    },
    "csm.sentiment.recorded": {"sentiment": 40, "note": "New head of finance asks for alternatives."},
    "csm.override.set": {
        "band": "at_risk",
        "reason": "The champion has left.",
        "until": "2026-04-30T00:00:00Z",
    },
    "csm.override.cleared": {"reason": "The new champion is on board."},
    "csm.task.changed": {
        "id": "task-5",
        "status": "done",
        "playbook": "save_the_champion",
        "type": "call",
        "owner": "u-3",
        "outcome": "reached",
    },
    "csm.outreach.changed": {"id": "n-8", "status": "replied", "channel": "email"},
    "csm.churn.recorded": {
        "decided_at": "2026-02-20",
        "ends_at": "2026-12-31",
        "reasons": [{"origin": "customer", "reason": "price"}],
    },
    "csm.backfill.ended": {"import_id": "imp-2026-03"},
}
"""Per fact, what its data may look like."""

_WRONG = (
    "data is not that of csm.usage.recorded: Expected `float`, got `str` - at `data.quantity`."
    " /openapi.json tells what it may hold."
)

CUSTOM_TYPE = "acme.workspace.archived"


def event(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """A whole event around `data`."""
    return {
        "specversion": "1.0",
        "id": f"{event_type}-0001",
        "source": "urn:acme:app",
        "type": event_type,
        "subject": "acme",
        "time": "2026-03-02T09:00:00Z",
        "data": data,
    }


EVENTS: dict[str, dict[str, Any]] = {name: event(name, data) for name, data in DATA.items()} | {
    CUSTOM_TYPE: event(CUSTOM_TYPE, {"workspace": "w-3"})
}
"""One event per type, and one of a type of the sender's own."""

MISTAKEN: dict[str, Any] = event("csm.usage.recorded", {"feature": "report_exported", "quantity": "3"})
"""An event that is refused, since a string is no number …"""

REFUSAL: dict[str, Any] = {
    "type": "urn:csm:problem:invalid_data",
    "title": "invalid data",
    "status": 400,
    "detail": _WRONG,
    "code": "invalid_data",
    "message": _WRONG,
}
"""… and the answer to it."""
