"""Answers about suppressions and mails as the API's description shows them."""

from typing import Any

from csm_common.web.documents import example_of

SUPPRESSION: dict[str, Any] = {
    "id": "5b0d6a3c-6e5e-5a53-8d43-1c3c5a4f7d10",
    "category": "expansion",
    "reason": "unsubscribed",
    "since": "2026-03-02T09:00:00Z",
    "account_id": "acme",
    "contact_id": "c-17",
    "notification_id": "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11",
    "note": None,
}
SUPPRESSION_PAGE: dict[str, Any] = {"suppressions": [SUPPRESSION], "next_cursor": None}
FOUND: dict[str, Any] = {"suppressions": [SUPPRESSION]}
BY_HAND: dict[str, Any] = {
    "suppressions": [
        SUPPRESSION
        | {"category": None, "reason": "manual", "notification_id": None, "note": "asked for it on the phone"}
    ]
}
MAIL_TAKEN: dict[str, Any] = {
    "taken_for": "bounced",
    "notification_id": "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11",
    "repeated": False,
    "suppressed": True,
    "status": "5.1.1",
}


def example(body: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The member `responses` of a route that can answer this."""
    return {status: {"content": {"application/json": {"example": example_of(body)}}}}
