"""Rows of the notification tables, to and from what the application works with; and the queries of readers."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, MetaData, Row, Select, String, Table, select, text, tuple_

from notifier.application.ports import Attempted, Due, Settled
from notifier.application.views import (
    AttemptView,
    DecisionView,
    NotificationDetail,
    NotificationFilter,
    NotificationSummary,
    PolicyView,
)
from notifier.domain.delivery import Verdict
from notifier.domain.notification import Notification, Status, Wanted

_TYPES = {
    "id": "text",
    "kind": "text",
    "account_id": "text",
    "run_id": "text",
    "playbook": "text",
    "playbook_version": "int",
    "step": "text",
    "channel": "text",
    "category": "text",
    "message_class": "text",
    "template": "text",
    "priority": "int",
    "if_held": "text",
    "requested_at": "timestamptz",
    "expires_at": "timestamptz",
    "traceparent": "text",
}
_JSON = ("recipients", "context", "chain")

COLUMNS = (*_TYPES, *_JSON)
"""Those that say what was asked for."""

ARRAYS = [f"CAST(:{name} AS {_TYPES.get(name, 'jsonb')}[])" for name in COLUMNS]
"""The same as parameters of many rows at once."""


def columns(notifications: Sequence[Notification]) -> dict[str, list[Any]]:
    """The parameters that insert them."""
    plain = {name: [getattr(each, name) for each in notifications] for name in _TYPES}
    return plain | {name: [_json(getattr(each, name)) for each in notifications] for name in _JSON}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def notification(row: Row[Any]) -> Notification:
    """The notification of a whole row."""
    known = row._asdict()
    return Notification(
        recipients=tuple(Wanted(**each) for each in row.recipients),
        context=row.context,
        chain=row.chain,
        **{name: known[name] for name in _TYPES},
    )


def due(row: Row[Any]) -> Due:
    """A whole row that needs somebody."""
    return Due(
        notification=notification(row),
        received_at=row.received_at,
        attempts=row.attempt,
        forgiven=row.forgiven,
        interrupted=row.status == Status.SENDING,
        held_by=row.held_by,
    )


def verdict_columns(verdicts: Sequence[Verdict]) -> dict[str, list[Any]]:
    """The parameters that write verdicts down."""
    return {
        "statuses": [each.status.value for each in verdicts],
        "reasons": [each.reason for each in verdicts],
        "wakes": [each.wake_at for each in verdicts],
        "held_bys": [each.held_by for each in verdicts],
    }


def settled_columns(settled: Sequence[Settled]) -> dict[str, list[Any]]:
    """The parameters that settle them."""
    to = [each.decision.recipient if each.decision else None for each in settled]
    return verdict_columns([each.verdict for each in settled]) | {
        "ids": [each.notification.id for each in settled],
        "endpoints": [each.endpoint for each in settled],
        "persons": [each.person for each in settled],
        "folded_into": [each.folded_into for each in settled],
        "kinds": [each.kind if each else None for each in to],
        "contact_ids": [each.contact_id if each else None for each in to],
        "whys": [each.decision.why if each.decision else None for each in settled],
    }


def ended_columns(attempted: Sequence[Attempted]) -> dict[str, list[Any]]:
    """The parameters that end attempts. One whose message never came to be sent is refused."""
    answers = [each.verdict.answer for each in attempted]
    return {
        "ids": [each.begun.notification.id for each in attempted],
        "attempts": [each.begun.attempt for each in attempted],
        "outcomes": [_outcome(each.verdict) for each in attempted],
        "codes": [each.code if each else None for each in answers],
        "details": [
            each.answer.detail if each.answer else each.reason
            for each in (attempt.verdict for attempt in attempted)
        ],
    }


def _wanted(row: Row[Any]) -> tuple[Wanted, ...]:
    return tuple(Wanted(**each) for each in row.recipients)


def _outcome(verdict: Verdict) -> str:
    if verdict.answer is not None:
        return verdict.answer.outcome
    return "refused" if verdict.wake_at is None else "deferred"


_table = Table(
    "notifications",
    MetaData(),
    *(
        Column(name, DateTime(timezone=True) if name.endswith("_at") else String())
        for name in (
            "id",
            "account_id",
            "status",
            "channel",
            "playbook",
            "run_id",
            "folded_into",
            "requested_at",
        )
    ),
)

ONE = text("SELECT * FROM notifications WHERE id = :id")

ATTEMPTS = text("SELECT * FROM attempts WHERE notification_id = :id ORDER BY number")

DECISIONS = text("SELECT * FROM decisions WHERE notification_id = :id ORDER BY number")


def page_query(wanted: NotificationFilter, before: tuple[datetime, str] | None, limit: int) -> Select[Any]:
    """Newest first. Only the conditions that are asked for, so that each combination has its own plan."""
    query = (
        select(text("*"))
        .select_from(_table)
        .order_by(_table.c.requested_at.desc(), _table.c.id.desc())
        .limit(limit)
    )
    for name in ("account_id", "channel", "playbook", "run_id", "folded_into"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(_table.c[name] == value)
    if wanted.status is not None:
        query = query.where(_table.c.status == wanted.status.value)
    if wanted.dead:
        query = query.where(_table.c.status.in_([each.value for each in Status if each.dead]))
    if before is not None:
        query = query.where(tuple_(_table.c.requested_at, _table.c.id) < tuple_(*before))
    return query


def summary(row: Row[Any]) -> NotificationSummary:
    """A row as lists show it."""
    return NotificationSummary(**_summary_fields(row))


def _summary_fields(row: Row[Any]) -> dict[str, Any]:
    status = Status(row.status)
    waits = status in (Status.PENDING, Status.HELD, Status.RETRY)
    computed = {
        "status": status,
        "attempt_count": row.attempt,
        "next_attempt_at": row.wake_at if waits else None,
    }
    names = {each.name for each in fields(NotificationSummary)} - computed.keys()
    return computed | {name: row._mapping[name] for name in names}


def detail(row: Row[Any], attempts: Sequence[Row[Any]], decisions: Sequence[Row[Any]]) -> NotificationDetail:
    """A row, the policy's words and its attempts as the page of one notification shows them."""
    decided = row.recipient_why is not None
    return NotificationDetail(
        **_summary_fields(row),
        message_class=row.message_class,
        wanted=_wanted(row),
        decision=(
            DecisionView(kind=row.recipient_kind, contact_id=row.recipient_contact_id, why=row.recipient_why)
            if decided
            else None
        ),
        policy=tuple(PolicyView(**_fields(PolicyView, each)) for each in decisions),
        attempts=tuple(AttemptView(**_fields(AttemptView, each)) for each in attempts),
        chain=row.chain,
    )


def _fields(view: Any, row: Row[Any]) -> dict[str, Any]:
    return {each.name: row._mapping[each.name] for each in fields(view)}
