"""Messages that wait for a digest, and the digests, on the table of notifications."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import notification_rows as rows
from notifier.adapters.contact_history import lock_key
from notifier.application.ports import Due
from notifier.domain.notification import Notification

# The index notifications_for_digest. Nobody waits for rows: who else has them folds them, or lets them go on.
_COMPANIONS = text("""
SELECT n.* FROM notifications n
WHERE n.held_by = 'digest' AND n.status = 'held' AND n.wake_at <= :now AND n.id <> ALL(CAST(:ids AS text[]))
  AND (n.person, n.channel) IN (SELECT person, channel FROM notifications WHERE id = ANY(CAST(:ids AS text[])))
ORDER BY n.id FOR UPDATE SKIP LOCKED
""")

_LOCK = text("SELECT count(pg_advisory_xact_lock(key)) FROM unnest(CAST(:keys AS bigint[])) AS key")

_KNOWN = text("SELECT id FROM notifications WHERE id = ANY(CAST(:ids AS text[]))")

_OPEN = text("""
SELECT * FROM notifications WHERE id = ANY(CAST(:ids AS text[])) AND status IN ('pending', 'held') ORDER BY id
FOR UPDATE SKIP LOCKED
""")

_EXTEND = text("""
UPDATE notifications n SET context = t.context, priority = t.priority, category = t.category, message_class = t.message_class
FROM unnest(CAST(:ids AS text[]), CAST(:contexts AS jsonb[]), CAST(:priorities AS int[]), CAST(:categories AS text[]),
    CAST(:classes AS text[])) AS t(id, context, priority, category, message_class)
WHERE n.id = t.id
""")


class PostgresDigestRows:
    """Digests in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def companions(self, due: Sequence[Due], now: datetime) -> Sequence[Due]:
        """Lock the others that wait for a digest which is due, for the persons and channels of those of `due` that do."""
        ids = [each.notification.id for each in due if each.held_by == "digest"]
        if not ids:
            return ()
        known = {each.notification.id for each in due}
        found = await self._tx.execute(_COMPANIONS, {"ids": ids, "now": now})
        return [rows.due(row) for row in found if row.id not in known]

    async def lock(self, persons: Collection[str]) -> None:
        """Until the end of the transaction nobody else makes digests for these."""
        keys = sorted(lock_key(f"digests/{each}") for each in persons)
        if keys:
            await self._tx.execute(_LOCK, {"keys": keys})

    async def known(self, ids: Collection[str]) -> Mapping[str, Notification | None]:
        """Those of these digests that are there; locked, or None where it is too late to add to them."""
        these = {"ids": sorted(ids)}
        found: dict[str, Notification | None] = dict.fromkeys(await self._tx.scalars(_KNOWN, these))
        if found:
            found |= {row.id: rows.notification(row) for row in await self._tx.execute(_OPEN, these)}
        return found

    async def extend(self, digests: Sequence[Notification]) -> None:
        """Digests that are known and locked now tell more."""
        if not digests:
            return
        columns = rows.columns(digests)
        await self._tx.execute(
            _EXTEND,
            {
                "ids": columns["id"],
                "contexts": columns["context"],
                "priorities": columns["priority"],
                "categories": columns["category"],
                "classes": columns["message_class"],
            },
        )
