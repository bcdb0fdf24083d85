"""Answers as the API's description shows them; a test checks that each is what its route can give."""

from typing import Any

RUN: dict[str, Any] = {
    "id": "5b0d6a3c-6e5e-5a53-8d43-1c3c5a4f7d10",
    "playbook": "account_at_risk",
    "version": 1,
    "account_id": "acme",
    "status": "active",
    "crossing_id": "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11",
    "started_at": "2026-03-02T09:00:00Z",
    "step": "give_it_time",
    "waiting_until": "2026-03-04T09:00:00Z",
    "ended_at": None,
    "reason": None,
    "failures": 0,
    "error": None,
}

RUN_PAGE: dict[str, Any] = {"runs": [RUN], "next_cursor": None}

RUN_DETAIL: dict[str, Any] = {
    "run": RUN,
    "timeline": [
        {
            "at": "2026-03-02T09:00:00Z",
            "what": "entered",
            "told": "at_risk was entered: score went from 57.2 to 48.1, the level is 50",
            "step": None,
            "kind": None,
            "outcome": None,
            "ref": None,
            "until": None,
            "crossing_id": "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11",
            "fact_ids": ["ticket-4711-escalated"],
        },
        {
            "at": "2026-03-02T09:00:00Z",
            "what": "step",
            "told": "a notification was requested",
            "step": "tell_owner",
            "kind": "notify",
            "outcome": "requested",
            "ref": "c2f1b9a4-2d5e-5f0c-8c58-0a9f2f6b3d12",
            "until": None,
            "crossing_id": None,
            "fact_ids": [],
        },
        {
            "at": "2026-03-04T09:00:00Z",
            "what": "waiting",
            "told": "waits 2d",
            "step": "give_it_time",
            "kind": "wait",
            "outcome": None,
            "ref": None,
            "until": "2026-03-04T09:00:00Z",
            "crossing_id": None,
            "fact_ids": [],
        },
    ],
}

TASK: dict[str, Any] = {
    "id": "8c3e5f72-91ab-5c1d-b7e4-3f2d1c0b9a13",
    "account_id": "acme",
    "type": "rescue",
    "title": "Call the account today",
    "reason": "critical",
    "owner": "maria",
    "due_at": "2026-03-03T09:00:00Z",
    "run_id": "1e7d4c90-5b2f-5d3a-a1c6-8e9f0a1b2c14",
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z",
    "status": "open",
    "asked": 1,
}

TASK_PAGE: dict[str, Any] = {"tasks": [TASK], "next_cursor": None}

PLAYBOOK_LIST: dict[str, Any] = {
    "playbooks": [
        {
            "name": "account_critical",
            "version": 1,
            "title": "An account has become critical",
            "active": True,
            "hash": "3b1f0c5e9d7a2468ace013579bdf02468ace13579bdf02468ace13579bdf0246",
            "created_at": "2026-03-02T08:00:00Z",
            "definition": {
                "name": "account_critical",
                "title": "An account has become critical",
                "trigger": {"threshold": "critical", "direction": "entered"},
                "audience": "true",
                "entry": {"once_per": "3d"},
                "exit_when": {"left": ["critical"], "entered": []},
                "steps": [
                    {
                        "name": "rescue",
                        "task": {
                            "type": "rescue",
                            "title": "Call the account today",
                            "reason": "critical",
                            "assignee": "owner",
                            "due_in": "1d",
                        },
                    }
                ],
            },
        }
    ]
}

ENTRY_PAGE: dict[str, Any] = {
    "entries": [
        {
            "crossing_id": "77d2c1b0-a9f8-5e7d-8c6b-5a4f3e2d1c15",
            "playbook": "account_at_risk",
            "version": 1,
            "account_id": "acme",
            "decided_at": "2026-03-05T14:30:00Z",
            "outcome": "refused",
            "run_id": None,
            "code": "once_per",
            "reason": "It entered at 2026-03-02T09:00:00Z, and may once per 7d.",
        }
    ],
    "next_cursor": None,
}
