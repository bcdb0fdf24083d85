"""The tables of notifications and their attempts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import notification_rows as rows
from notifier.application.ports import Claimed
from notifier.application.views import NotificationDetail, NotificationSummary
from notifier.domain.delivery import Verdict
from notifier.domain.notification import Notification, Status
from notifier.domain.recipients import Decision

_ADD = text("""
INSERT INTO notifications (id, account_id, run_id, playbook, playbook_version, step, channel, category, message_class, template,
    recipients, context, chain, traceparent, requested_at, expires_at, received_at, status, wake_at)
VALUES (:id, :account_id, :run_id, :playbook, :playbook_version, :step, :channel, :category, :message_class, :template,
    CAST(:recipients AS jsonb), CAST(:context AS jsonb), CAST(:chain AS jsonb), :traceparent, :requested_at, :expires_at,
    :now, 'pending', :now)
ON CONFLICT (id) DO NOTHING
""")

# Materialized, or the planner may run the inner query more than once and lock more than the limit.
_CLAIM = text("""
WITH due AS MATERIALIZED (
    SELECT id, status FROM notifications WHERE wake_at <= :now ORDER BY wake_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE notifications n
SET status = 'sending', lease_owner = :owner, wake_at = :lease_until, attempt = n.attempt + 1
FROM due WHERE n.id = due.id
RETURNING n.*, due.status = 'sending' AS interrupted
""")

_GIVE_UP_WAITING = text("""
UPDATE attempts SET outcome = 'unknown', ended_at = :now, detail = 'the sender never told how it ended'
WHERE notification_id = ANY(CAST(:ids AS text[])) AND outcome IS NULL
""")

_BEGIN = text("""
INSERT INTO attempts (notification_id, number, started_at)
SELECT t.id, t.number, :now FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[])) AS t(id, number)
""")

_RECORD = text("""
UPDATE notifications
SET status = :status, reason = :reason, wake_at = :wake_at, finished_at = :finished_at, lease_owner = NULL,
    held = held + :held
WHERE id = :id AND attempt = :attempt AND status = 'sending'
""")

_DECIDED = text("""
UPDATE notifications SET recipient_kind = :kind, recipient_contact_id = :contact_id, recipient_why = :why WHERE id = :id
""")

_END = text("""
UPDATE attempts SET ended_at = :now, outcome = :outcome, code = :code, detail = :detail
WHERE notification_id = :id AND number = :attempt
""")


class PostgresNotifications:
    """Notifications in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Take them in as pending; one that is known already is left as it is."""
        if notifications:
            await self._tx.execute(_ADD, [{**rows.columns(each), "now": now} for each in notifications])

    async def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claimed]:
        """Begin an attempt at up to `limit` due notifications, skipping those that another sender is just claiming."""
        found = await self._tx.execute(
            _CLAIM, {"owner": owner, "now": now, "lease_until": lease_until, "limit": limit}
        )
        claimed = [
            Claimed(
                rows.notification(row), row.attempt, lease_until, row.received_at, row.interrupted, row.held
            )
            for row in sorted(found, key=lambda row: (row.requested_at, row.id))
        ]
        if claimed:
            ids = [each.notification.id for each in claimed]
            numbers = [each.attempt for each in claimed]
            await self._tx.execute(_GIVE_UP_WAITING, {"ids": ids, "now": now})
            await self._tx.execute(_BEGIN, {"ids": ids, "numbers": numbers, "now": now})
        return claimed

    async def record(
        self, claimed: Claimed, decision: Decision | None, verdict: Verdict, now: datetime
    ) -> bool:
        """Write down how the attempt ended. False, and nothing written, where somebody else has claimed it since."""
        this = {"id": claimed.notification.id, "attempt": claimed.attempt}
        state = {
            "status": verdict.status.value,
            "reason": verdict.reason,
            "wake_at": verdict.wake_at,
            "finished_at": now if verdict.status.final else None,
            "held": int(verdict.outcome == "held"),
        }
        if (await self._tx.execute(_RECORD, this | state)).rowcount == 0:
            return False
        if decision is not None:
            await self._tx.execute(_DECIDED, {"id": claimed.notification.id, **_columns(decision)})
        ending = {"outcome": verdict.outcome, "code": verdict.code, "detail": verdict.detail, "now": now}
        await self._tx.execute(_END, this | ending)
        return True

    async def page(
        self,
        account_id: str | None,
        status: Status | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[NotificationSummary]:
        """Newest first, by request time and id; `before` is those of the last one of the page before."""
        found = await self._tx.execute(rows.page_query(account_id, status, before, limit))
        return [rows.summary(row) for row in found]

    async def detail(self, notification_id: str) -> NotificationDetail | None:
        """All that is known of one."""
        row = (await self._tx.execute(rows.ONE, {"id": notification_id})).one_or_none()
        if row is None:
            return None
        return rows.detail(row, list(await self._tx.execute(rows.ATTEMPTS, {"id": notification_id})))


def _columns(decision: Decision) -> dict[str, Any]:
    recipient = decision.recipient
    return {
        "kind": recipient.kind if recipient else None,
        "contact_id": recipient.contact_id if recipient else None,
        "why": decision.why,
    }
