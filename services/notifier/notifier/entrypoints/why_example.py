"""A chain as GET /v1/notifications/{id}/why answers it."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "message": {
        "id": "3f0e0c4b-6c0f-5b7e-9d39-1f4ac5f0d6a2",
        "kind": "outreach",
        "account_id": "acme",
        "account": "Acme",
        "channel": "email",
        "category": "health",
        "message_class": "internal",
        "template": "account_at_risk",
        "status": "sent",
        "reason": None,
        "held_by": None,
        "requested_at": "2026-03-02T09:00:00Z",
        "next_attempt_at": None,
        "finished_at": "2026-03-02T09:00:01Z",
        "attempts": 1,
        "folded_into": None,
    },
    "erased": False,
    "recipient": {
        "kind": "contact",
        "contact_id": "kim",
        "name": "Kim Park",
        "why": "owner: the account names contact kim as its owner",
    },
    "policy": [
        {
            "at": "2026-03-02T09:00:00Z",
            "word": "send",
            "rule": "none",
            "reason": "nothing speaks against it",
            "until": None,
        }
    ],
    "step": "tell_owner",
    "steps_before": [
        {
            "step": "by_size",
            "kind": "branch",
            "outcome": "taken",
            "at": "2026-03-02T07:00:00Z",
            "path": "large",
        },
        {"step": "pause", "kind": "wait", "outcome": "waited", "at": "2026-03-02T09:00:00Z", "path": None},
    ],
    "run": {
        "id": "run-1",
        "playbook": "account_at_risk",
        "version": 4,
        "title": "An account has become at risk",
        "started_at": "2026-03-02T07:00:00Z",
        "entered": "at_risk was entered: score went from 63.25 to 44.4, the level is 50.",
    },
    "crossing_id": "crossing-1",
    "crossing": {
        "id": "crossing-1",
        "threshold": "at_risk",
        "direction": "entered",
        "target": "score",
        "level": 50.0,
        "before": 63.25,
        "after": 44.4,
        "occurred_at": "2026-03-02T07:00:00Z",
        "cause": "facts",
        "band_before": "neutral",
        "band_after": "at_risk",
        "scorecard": "default",
        "scorecard_version": 3,
        "parts": [
            {"measure": "usage_recency", "before": 30.0, "after": 22.0},
            {"measure": "open_tickets", "before": 14.1, "after": 3.2},
        ],
        "facts": [
            {"id": "zd-881", "type": "csm.ticket.changed", "occurred_at": "2026-03-02T07:00:00Z"},
            {"id": "zd-882", "type": "csm.ticket.changed", "occurred_at": "2026-03-02T06:59:00Z"},
        ],
    },
    "measures": [
        {"measure": "open_tickets", "before": 14.1, "after": 3.2, "change": -10.9},
        {"measure": "usage_recency", "before": 30.0, "after": 22.0, "change": -8.0},
    ],
    "facts": [
        {"id": "zd-881", "type": "csm.ticket.changed", "occurred_at": "2026-03-02T07:00:00Z"},
        {"id": "zd-882", "type": "csm.ticket.changed", "occurred_at": "2026-03-02T06:59:00Z"},
    ],
    "links": [
        {"service": "playbooks", "path": "/v1/runs/run-1", "tells": "the run with every step"},
        {
            "service": "health-score",
            "path": "/v1/accounts/acme/health/explain?at=2026-03-02T07%3A00%3A00%2B00%3A00",
            "tells": "the score at the crossing, sum by sum",
        },
    ],
    "items": [],
    "words": [
        "Kim Park got this email about Acme on 2 March 2026, 09:00 UTC, because the playbook "
        "“An account has become at risk” (account_at_risk version 4) asked for it at its step "
        "tell_owner on 2 March 2026, 09:00 UTC.",
        "Chosen as owner: the account names contact kim as its owner.",
        "On 2 March 2026, 09:00 UTC the contact policy let it go: nothing speaks against it.",
        "Before that it had taken by_size (taken: large) and pause (waited).",
        "Its run run-1 began on 2 March 2026, 07:00 UTC: at_risk was entered: score went from "
        "63.25 to 44.4, the level is 50.",
        "It was crossed on 2 March 2026, 07:00 UTC, judged by the scorecard default 3.",
        "The band went from neutral to at risk.",
        "What moved, in points of the score: open tickets (−10.9, 14.1 to 3.2) and usage "
        "recency (−8, 30 to 22).",
        "It came of csm.ticket.changed of 2 March 2026, 07:00 UTC (zd-881) and "
        "csm.ticket.changed of 2 March 2026, 06:59 UTC (zd-882).",
    ],
}

EXAMPLE_TEXT = "\n".join(EXAMPLE["words"]) + "\n"
