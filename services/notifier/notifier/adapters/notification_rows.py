"""Rows of the notification tables, to and from what the application works with; and the queries of readers."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, MetaData, Row, Select, String, Table, select, text, tuple_

from notifier.application.views import AttemptView, DecisionView, NotificationDetail, NotificationSummary
from notifier.domain.notification import Notification, Status, Wanted

_SAME = (
    "id",
    "account_id",
    "run_id",
    "playbook",
    "playbook_version",
    "step",
    "channel",
    "category",
    "message_class",
    "template",
    "requested_at",
    "expires_at",
    "traceparent",
)
_JSON = ("recipients", "context", "chain")


def columns(notification: Notification) -> dict[str, Any]:
    """The parameters that insert it."""
    plain = {name: getattr(notification, name) for name in _SAME}
    return plain | {name: msgspec.json.encode(getattr(notification, name)).decode() for name in _JSON}


def notification(row: Row[Any]) -> Notification:
    """The notification of a whole row."""
    return Notification(
        recipients=_wanted(row),
        context=row.context,
        chain=row.chain,
        **{name: row._mapping[name] for name in _SAME},
    )


def _wanted(row: Row[Any]) -> tuple[Wanted, ...]:
    return tuple(Wanted(**each) for each in row.recipients)


# ---- for readers

_table = Table(
    "notifications",
    MetaData(),
    *(
        Column(name, DateTime(timezone=True) if name.endswith("_at") else String())
        for name in ("id", "account_id", "status", "requested_at")
    ),
)

ONE = text("SELECT * FROM notifications WHERE id = :id")

ATTEMPTS = text("SELECT * FROM attempts WHERE notification_id = :id ORDER BY number")


def page_query(
    account_id: str | None, status: Status | None, before: tuple[datetime, str] | None, limit: int
) -> Select[Any]:
    """Newest first. Only the conditions that are asked for, so that each combination has its own plan."""
    query = (
        select(text("*"))
        .select_from(_table)
        .order_by(_table.c.requested_at.desc(), _table.c.id.desc())
        .limit(limit)
    )
    if account_id is not None:
        query = query.where(_table.c.account_id == account_id)
    if status is not None:
        query = query.where(_table.c.status == status.value)
    if before is not None:
        query = query.where(tuple_(_table.c.requested_at, _table.c.id) < tuple_(*before))
    return query


def summary(row: Row[Any]) -> NotificationSummary:
    """A row as lists show it."""
    return NotificationSummary(**_summary_fields(row))


def _summary_fields(row: Row[Any]) -> dict[str, Any]:
    status = Status(row.status)
    waits = status in (Status.PENDING, Status.RETRY)
    computed = {
        "status": status,
        "attempt_count": row.attempt,
        "next_attempt_at": row.wake_at if waits else None,
    }
    names = {each.name for each in fields(NotificationSummary)} - computed.keys()
    return computed | {name: row._mapping[name] for name in names}


def detail(row: Row[Any], attempts: Sequence[Row[Any]]) -> NotificationDetail:
    """A row and its attempts as the page of one notification shows them."""
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
        attempts=tuple(_attempt(each) for each in attempts),
        chain=row.chain,
    )


def _attempt(row: Row[Any]) -> AttemptView:
    return AttemptView(**{each.name: row._mapping[each.name] for each in fields(AttemptView)})
