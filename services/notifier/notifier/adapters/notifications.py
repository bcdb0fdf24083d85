"""The notifications' tables, and the lease under which each is sent."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import notification_rows as rows
from notifier.application.ports import Attempted, Begun, Due, Settled
from notifier.application.views import NotificationDetail, NotificationFilter, NotificationSummary
from notifier.domain.notification import Notification, Status

_ADD = text(f"""
INSERT INTO notifications ({", ".join(rows.COLUMNS)}, received_at, status, wake_at)
SELECT {", ".join(f"t.{each}" for each in rows.COLUMNS)}, :now, 'pending', :now
FROM unnest({", ".join(rows.ARRAYS)}) AS t({", ".join(rows.COLUMNS)})
ON CONFLICT (id) DO NOTHING
""")  # noqa: S608  (constants, here and below)

_DUE = text("""
SELECT * FROM notifications
WHERE wake_at <= :now AND (endpoint IS NULL OR endpoint <> ALL(CAST(:busy AS text[])))
ORDER BY wake_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")

_MEANT_FOR = text("""
UPDATE notifications n SET endpoint = t.endpoint
FROM unnest(CAST(:ids AS text[]), CAST(:endpoints AS text[])) AS t(id, endpoint) WHERE n.id = t.id
""")

# By the end of its lease, which its row is due since.
_END_INTERRUPTED = text("""
UPDATE attempts a SET outcome = 'unknown', ended_at = n.wake_at, detail = 'the sender never told how it ended'
FROM notifications n WHERE n.id = a.notification_id AND n.id = ANY(CAST(:ids AS text[])) AND a.outcome IS NULL
""")

_BEGIN = text("""
UPDATE notifications n
SET status = 'sending', lease_owner = :owner, wake_at = t.lease_until, attempt = t.attempt, held_by = NULL,
    endpoint = t.endpoint, person = t.person, recipient_kind = t.kind, recipient_contact_id = t.contact_id, recipient_why = t.why
FROM unnest(CAST(:ids AS text[]), CAST(:attempts AS int[]), CAST(:leases AS timestamptz[]), CAST(:endpoints AS text[]),
        CAST(:persons AS text[]), CAST(:kinds AS text[]), CAST(:contact_ids AS text[]), CAST(:whys AS text[]))
    AS t(id, attempt, lease_until, endpoint, person, kind, contact_id, why)
WHERE n.id = t.id
""")

_BEGIN_ATTEMPTS = text("""
INSERT INTO attempts (notification_id, number, started_at)
SELECT t.id, t.number, CAST(:now AS timestamptz) FROM unnest(CAST(:ids AS text[]), CAST(:attempts AS int[])) AS t(id, number)
""")

_SETTLE = text("""
UPDATE notifications n
SET status = t.status, reason = t.reason, wake_at = t.wake_at, held_by = t.held_by, lease_owner = NULL,
    finished_at = CASE WHEN t.wake_at IS NULL THEN CAST(:now AS timestamptz) END,
    endpoint = coalesce(t.endpoint, n.endpoint), person = coalesce(t.person, n.person), folded_into = t.folded_into,
    recipient_kind = CASE WHEN t.why IS NULL THEN n.recipient_kind ELSE t.kind END,
    recipient_contact_id = CASE WHEN t.why IS NULL THEN n.recipient_contact_id ELSE t.contact_id END,
    recipient_why = coalesce(t.why, n.recipient_why)
FROM unnest(CAST(:ids AS text[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:wakes AS timestamptz[]),
        CAST(:held_bys AS text[]), CAST(:endpoints AS text[]), CAST(:persons AS text[]), CAST(:folded_into AS text[]),
        CAST(:kinds AS text[]), CAST(:contact_ids AS text[]), CAST(:whys AS text[]))
    AS t(id, status, reason, wake_at, held_by, endpoint, person, folded_into, kind, contact_id, why)
WHERE n.id = t.id
""")

# Locked in the order of ids, as everywhere.
_RECORD = text("""
WITH ours AS (
    SELECT n.id FROM notifications n JOIN unnest(CAST(:ids AS text[]), CAST(:attempts AS int[])) AS t(id, attempt) USING (id)
    WHERE n.attempt = t.attempt AND n.status = 'sending' ORDER BY n.id FOR UPDATE OF n
)
UPDATE notifications n
SET status = t.status, reason = t.reason, wake_at = t.wake_at, held_by = t.held_by, lease_owner = NULL,
    finished_at = CASE WHEN t.wake_at IS NULL THEN CAST(:now AS timestamptz) END
FROM ours JOIN unnest(CAST(:ids AS text[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]),
    CAST(:wakes AS timestamptz[]), CAST(:held_bys AS text[])) AS t(id, status, reason, wake_at, held_by) USING (id)
WHERE n.id = ours.id AND n.status = 'sending'
RETURNING n.id
""")

_END_ATTEMPTS = text("""
UPDATE attempts a SET ended_at = :now, outcome = t.outcome, code = t.code, detail = t.detail
FROM unnest(CAST(:ids AS text[]), CAST(:attempts AS int[]), CAST(:outcomes AS text[]), CAST(:codes AS int[]),
    CAST(:details AS text[])) AS t(id, number, outcome, code, detail)
WHERE a.notification_id = t.id AND a.number = t.number
""")

_THREADS = text("""
SELECT t.id, array_agg(n.id ORDER BY n.finished_at, n.id) AS before
FROM unnest(CAST(:ids AS text[]), CAST(:runs AS text[]), CAST(:persons AS text[])) AS t(id, run_id, person)
JOIN notifications n ON n.run_id = t.run_id AND n.person = t.person AND n.status = 'sent' AND n.id <> t.id
GROUP BY t.id
""")

_IN_HAND = text("""
SELECT EXISTS (
    SELECT FROM notifications n JOIN attempts a ON a.notification_id = n.id AND a.number = n.attempt
    WHERE n.status = 'sending' AND n.person = ANY(CAST(:persons AS text[])) AND a.started_at <= :before AND n.wake_at > :now
)
""")


class PostgresNotifications:
    """Notifications in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Take them in as pending; one that is known already is left as it is."""
        if notifications:
            await self._tx.execute(_ADD, rows.columns(notifications) | {"now": now})

    async def due(self, now: datetime, limit: int, busy: Collection[str]) -> Sequence[Due]:
        """Lock up to `limit` due ones, skipping those that another sender is just looking at."""
        found = await self._tx.execute(_DUE, {"now": now, "limit": limit, "busy": sorted(busy)})
        due = [rows.due(row) for row in found]
        interrupted = [each.notification.id for each in due if each.interrupted]
        if interrupted:
            await self._tx.execute(_END_INTERRUPTED, {"ids": interrupted})
        return due

    async def meant_for(self, endpoints: Mapping[str, str]) -> None:
        """By notification id: the endpoint it will go to, so that it is passed over while that is busy."""
        if endpoints:
            these = {"ids": list(endpoints), "endpoints": list(endpoints.values())}
            await self._tx.execute(_MEANT_FOR, these)

    async def begin(self, begun: Sequence[Begun], owner: str, now: datetime) -> None:
        """Write down that these attempts begin."""
        if not begun:
            return
        ids = {
            "ids": [each.notification.id for each in begun],
            "attempts": [each.attempt for each in begun],
        }
        more = {
            "leases": [each.lease_until for each in begun],
            "endpoints": [each.endpoint for each in begun],
            "persons": [each.person for each in begun],
            "kinds": [each.recipient.kind for each in begun],
            "contact_ids": [each.recipient.contact_id for each in begun],
            "whys": [each.why for each in begun],
        }
        await self._tx.execute(_BEGIN, ids | more | {"owner": owner})
        await self._tx.execute(_BEGIN_ATTEMPTS, ids | {"now": now})

    async def threads(self, begun: Sequence[Begun]) -> Mapping[str, tuple[str, ...]]:
        """What was sent to the same person in the same run before, oldest first."""
        asked = [each for each in begun if each.person is not None and each.notification.run_id]
        if not asked:
            return {}
        these = {
            "ids": [each.notification.id for each in asked],
            "runs": [each.notification.run_id for each in asked],
            "persons": [each.person for each in asked],
        }
        return {row.id: tuple(row.before) for row in await self._tx.execute(_THREADS, these)}

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Write down what became of those that are not sent now."""
        if settled:
            await self._tx.execute(_SETTLE, rows.settled_columns(settled) | {"now": now})

    async def record(self, attempted: Sequence[Attempted], now: datetime) -> Collection[str]:
        """Write down how attempts ended: the ids of those that were still ours."""
        if not attempted:
            return frozenset()
        ids = {
            "ids": [each.begun.notification.id for each in attempted],
            "attempts": [each.begun.attempt for each in attempted],
        }
        verdicts = rows.verdict_columns([each.verdict for each in attempted])
        ours = frozenset(await self._tx.scalars(_RECORD, ids | verdicts | {"now": now}))
        mine = [each for each in attempted if each.begun.notification.id in ours]
        await self._tx.execute(_END_ATTEMPTS, rows.ended_columns(mine) | {"now": now})
        return ours

    async def page(
        self, wanted: NotificationFilter, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[NotificationSummary]:
        """Newest first, by request time and id; `before` is those of the last one of the page before."""
        found = await self._tx.execute(rows.page_query(wanted, before, limit))
        return [rows.summary(row) for row in found]

    async def detail(self, notification_id: str) -> NotificationDetail | None:
        """All that is known of one."""
        this = {"id": notification_id}
        row = (await self._tx.execute(rows.ONE, this)).one_or_none()
        if row is None:
            return None
        attempts = list(await self._tx.execute(rows.ATTEMPTS, this))
        return rows.detail(row, attempts, list(await self._tx.execute(rows.DECISIONS, this)))

    async def find(self, notification_id: str) -> tuple[Notification, Status, str | None] | None:
        """One as it was asked for, where it stands, and the person it went to."""
        row = (await self._tx.execute(rows.ONE, {"id": notification_id})).one_or_none()
        return None if row is None else (rows.notification(row), Status(row.status), row.person)

    async def in_hand(self, persons: Collection[str], before: datetime) -> bool:
        """Whether an attempt for one of these that began before then is still going on, its lease not run out."""
        these = {"persons": sorted(persons), "before": before, "now": before}
        return bool(await self._tx.scalar(_IN_HAND, these))
