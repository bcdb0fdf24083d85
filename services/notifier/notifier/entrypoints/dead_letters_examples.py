"""What the routes of dead letters answer, for the description of the interface."""

from typing import Any

ID = "3f0e0c4b-6c0f-5b7e-9d39-1f4ac5f0d6a2"

DEAD_LETTER: dict[str, Any] = {
    "id": ID,
    "account_id": "acme",
    "channel": "email",
    "playbook": "account_at_risk",
    "template": "account_at_risk",
    "category": "health",
    "status": "failed",
    "code": "given_up",
    "reason": "given up after 8 attempts: 451 try again later",
    "answer": 451,
    "attempts": 8,
    "requested_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-03-05T09:00:00Z",
    "finished_at": "2026-03-02T15:12:41Z",
}

PAGE: dict[str, Any] = {"dead_letters": [DEAD_LETTER], "next_cursor": None}

COUNTS: dict[str, Any] = {
    "counts": [
        {
            "channel": "email",
            "code": "given_up",
            "dead_letters": 212,
            "oldest_at": "2026-03-02T09:00:00Z",
            "newest_at": "2026-03-02T11:43:10Z",
        }
    ]
}

DETAIL: dict[str, Any] = {
    "dead_letter": DEAD_LETTER,
    "notification": {
        "id": ID,
        "kind": "outreach",
        "account_id": "acme",
        "status": "failed",
        "reason": "given up after 8 attempts: 451 try again later",
        "held_by": None,
        "folded_into": None,
        "priority": 30,
        "channel": "email",
        "category": "health",
        "template": "account_at_risk",
        "playbook": "account_at_risk",
        "playbook_version": 4,
        "run_id": "run-1",
        "step": "tell_owner",
        "attempt_count": 8,
        "requested_at": "2026-03-02T09:00:00Z",
        "expires_at": "2026-03-05T09:00:00Z",
        "next_attempt_at": None,
        "finished_at": "2026-03-02T15:12:41Z",
        "message_class": "internal",
        "wanted": [{"kind": "owner", "value": None}],
        "decision": {
            "kind": "contact",
            "contact_id": "kim",
            "why": "owner: the account names contact kim as its owner",
        },
        "policy": [
            {
                "at": "2026-03-02T09:00:01Z",
                "word": "send",
                "rule": "none",
                "reason": "nothing speaks against it",
                "until": None,
            }
        ],
        "attempts": [
            {
                "number": 8,
                "started_at": "2026-03-02T15:12:40Z",
                "ended_at": "2026-03-02T15:12:41Z",
                "outcome": "deferred",
                "code": 451,
                "detail": "451 try again later",
            }
        ],
        "chain": {
            "run_id": "run-1",
            "step": "tell_owner",
            "crossing_id": "crossing-1",
            "fact_ids": ["zd-881"],
        },
    },
}

REPLAYED: dict[str, Any] = {
    "replayed": 211,
    "waiting": 0,
    "refused": [
        {"id": ID, "code": "expired", "why": "it expired on 2026-03-05 09:00 UTC; give expires_at anew"}
    ],
    "first_at": "2026-03-06T08:00:00Z",
    "last_at": "2026-03-06T08:03:30Z",
    "more": False,
}


def example(body: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The member `responses` of a route that answers this."""
    return {200: {"content": {"application/json": {"example": body}}}}
