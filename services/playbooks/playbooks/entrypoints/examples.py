"""Answers about runs as the API's description shows them; a test checks that each is what its route can give."""

from typing import Any

_RUN_ID = "5b0d6a3c-6e5e-5a53-8d43-1c3c5a4f7d10"
_CROSSING_ID = "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11"
_START = "2026-03-02T09:00:00Z"

RUN: dict[str, Any] = {
    "id": _RUN_ID,
    "playbook": "usage_falling",
    "version": 3,
    "account_id": "acme",
    "purpose": "adoption",
    "priority": 10,
    "status": "active",
    "crossing_id": _CROSSING_ID,
    "started_at": _START,
    "step": "give_it_time",
    "steps_taken": 2,
    "awaits": "time",
    "waiting_until": "2026-03-04T09:00:00Z",
    "held": None,
    "held_since": None,
    "next_look_at": "2026-03-04T09:00:00Z",
    "failures": 0,
    "error": None,
    "ended_at": None,
    "reason": None,
    "exit_crossing_id": None,
}

RUN_PAGE: dict[str, Any] = {"runs": [RUN], "next_cursor": None}

_MOMENT: dict[str, Any] = {
    "at": _START,
    "because": [],
    "step": None,
    "kind": None,
    "outcome": None,
    "path": None,
    "ref": None,
    "until": None,
    "revision": None,
    "values": None,
    "crossing_id": None,
    "fact_ids": [],
    "actor": None,
}

RUN_DETAIL: dict[str, Any] = {
    "run": RUN,
    "timeline": [
        _MOMENT
        | {
            "what": "entered",
            "told": "usage_falling was entered: measure:logins went from 57 to 42, the level is 50.",
            "because": [
                "What moved most, in points: logins (30 to 15).",
                "It came of 1 fact.",
                "The account is in the audience: account.plan == 'pro'.",
                "It may enter once per 30 days, and had not entered before.",
                "The account had no other active run that serves adoption.",
                "It was drawn among the accounts of retention that are treated; 10% are held out.",
            ],
            "revision": 17,
            "values": {"account.plan": "pro"},
            "crossing_id": _CROSSING_ID,
            "fact_ids": ["usage-4711"],
        },
        _MOMENT
        | {
            "what": "step",
            "told": "Took the way big.",
            "because": ["It holds: account.arr >= 100000.0."],
            "step": "by_size",
            "kind": "branch",
            "outcome": "taken",
            "path": "big",
            "revision": 17,
            "values": {"account.arr": 120000.0},
        },
        _MOMENT
        | {
            "what": "step",
            "told": "Asked for an email (usage_falling) to the owner.",
            "because": ["Who is written to, and whether at all, the notifier decides when it sends."],
            "step": "tell_owner",
            "kind": "notify",
            "outcome": "requested",
            "ref": "c2f1b9a4-2d5e-5f0c-8c58-0a9f2f6b3d12",
            "revision": 17,
        },
        _MOMENT
        | {
            "what": "waiting",
            "told": "Waits until 2026-03-04 09:00 UTC.",
            "because": ["The playbook waits 2 days."],
            "step": "give_it_time",
            "kind": "wait",
            "until": "2026-03-04T09:00:00Z",
        },
    ],
}

ENTRY_PAGE: dict[str, Any] = {
    "entries": [
        {
            "crossing_id": "77d2c1b0-a9f8-5e7d-8c6b-5a4f3e2d1c15",
            "playbook": "usage_falling",
            "version": 3,
            "account_id": "acme",
            "decided_at": "2026-03-05T14:30:00Z",
            "outcome": "refused",
            "run_id": None,
            "code": "once_per",
            "reason": "It entered at 2026-03-02T09:00:00Z, and may once per 30d.",
        }
    ],
    "next_cursor": None,
}

HANDLED: dict[str, Any] = {
    "run": RUN
    | {
        "status": "cancelled",
        "awaits": None,
        "waiting_until": None,
        "next_look_at": None,
        "ended_at": "2026-03-03T10:00:00Z",
        "reason": "cancelled by person:ana via key:console: they called us",
    },
    "changed": True,
    "told": "It is cancelled; 1 task of it stays open.",
}

BULK_CANCELLED: dict[str, Any] = {
    "matched": 120,
    "cancelled": 120,
    "remaining": 0,
    "open_tasks": 14,
    "dry_run": False,
}
