"""Answers about tasks, approvals and the audit as the API's description shows them; a test checks that each can be given."""

from typing import Any

_TASK_ID = "8c3e5f72-91ab-5c1d-b7e4-3f2d1c0b9a13"
_RUN_ID = "1e7d4c90-5b2f-5d3a-a1c6-8e9f0a1b2c14"

TASK: dict[str, Any] = {
    "id": _TASK_ID,
    "account_id": "acme",
    "type": "rescue",
    "title": "Call the account today",
    "reason": "critical",
    "owner": "maria",
    "due_at": "2026-03-03T09:00:00Z",
    "run_id": _RUN_ID,
    "playbook": "account_critical",
    "step": "rescue",
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T10:15:00Z",
    "status": "done",
    "asked": 1,
    "claimed_by": "maria",
    "snoozed_until": None,
    "snoozed_score": None,
    "outcome": "reached",
    "done_at": "2026-03-02T10:15:00Z",
    "done_by": "maria",
}

TASK_BY_HAND: dict[str, Any] = TASK | {
    "type": "call",
    "title": "Ask about the new head of finance",
    "reason": "rumour",
    "run_id": None,
    "playbook": None,
    "step": None,
    "updated_at": "2026-03-02T09:00:00Z",
    "status": "open",
    "claimed_by": None,
    "outcome": None,
    "done_at": None,
    "done_by": None,
}

TASK_PAGE: dict[str, Any] = {"tasks": [TASK], "next_cursor": None}

COMMENT: dict[str, Any] = {
    "task_id": _TASK_ID,
    "at": "2026-03-02T10:15:00Z",
    "actor": "person:maria via key:console",
    "action": "commented",
    "text": "They will renew if the import gets faster.",
}

TASK_STORY: dict[str, Any] = {
    "task": TASK,
    "notes": [
        {
            "task_id": _TASK_ID,
            "at": "2026-03-02T09:00:00Z",
            "actor": "playbook:account_critical",
            "action": "opened",
            "text": f"step rescue of run {_RUN_ID}",
        },
        {
            "task_id": _TASK_ID,
            "at": "2026-03-02T10:15:00Z",
            "actor": "person:maria via key:console",
            "action": "completed",
            "text": "reached",
        },
        COMMENT,
    ],
}

APPROVAL: dict[str, Any] = {
    "id": "4f1d2c3b-6a5e-5b7c-9d8e-0f1a2b3c4d16",
    "run_id": _RUN_ID,
    "playbook": "usage_falling",
    "step": "ask",
    "account_id": "acme",
    "title": "Offer a workshop?",
    "by": ["owner", "ben"],
    "asked_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-03-05T09:00:00Z",
    "status": "approved",
    "answered_at": "2026-03-02T11:30:00Z",
    "answered_by": "person:maria via key:console",
    "comment": "Take the one about imports.",
}

APPROVAL_PAGE: dict[str, Any] = {"approvals": [APPROVAL], "next_cursor": None}

AUDIT_PAGE: dict[str, Any] = {
    "audit": [
        {
            "id": 4711,
            "at": "2026-03-02T10:15:00Z",
            "actor": "person:maria via key:console",
            "action": "task_completed",
            "subject": f"task:{_TASK_ID}",
            "account_id": "acme",
            "detail": {
                "told": "reached",
                "changed": {
                    "status": "done",
                    "outcome": "reached",
                    "done_at": "2026-03-02T10:15:00Z",
                    "done_by": "maria",
                },
            },
        }
    ],
    "next_cursor": None,
}
