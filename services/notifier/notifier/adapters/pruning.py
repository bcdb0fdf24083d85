"""Keeps the notifications' tables from growing without end: what ended long ago goes, with all that belongs to it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

LEAST_CONTACTED = timedelta(days=366)
"""The contact history is kept for a year at least, so that caps can be lengthened up to that and count at once."""

# Nothing ends before it is asked for, so the index notifications_newest finds them. What was told in a digest goes with that, or
# later by itself where somebody has it in hand: nobody waits for a row here, so nobody is waited for in a circle.
_OLD = text("""
WITH old AS (
    SELECT id FROM notifications n
    WHERE requested_at < :before AND finished_at < :before AND wake_at IS NULL
        AND (folded_into IS NULL OR NOT EXISTS (SELECT FROM notifications d WHERE d.id = n.folded_into))
    ORDER BY requested_at LIMIT :limit FOR UPDATE SKIP LOCKED
), items AS (
    SELECT i.id FROM notifications i JOIN old ON i.folded_into = old.id WHERE i.wake_at IS NULL FOR UPDATE OF i SKIP LOCKED
), gone AS (
    DELETE FROM notifications WHERE id IN (SELECT id FROM old UNION SELECT id FROM items) RETURNING id
), answered AS (
    DELETE FROM responses WHERE notification_id IN (SELECT id FROM gone)
)
SELECT count(*) FROM old
""")

_CONTACTED = text("""
WITH gone AS (
    DELETE FROM contacted WHERE notification_id IN (
        SELECT notification_id FROM contacted WHERE at < :before LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT count(*) FROM gone
""")


class NotificationPruning:
    """`prune` now and then; a little at a time."""

    def __init__(
        self, engine: AsyncEngine, *, kept: timedelta, longest_cap: timedelta, chunk: int = 5_000
    ) -> None:
        """Notifications are kept for `kept` after they ended, with their attempts, decisions and responses; who was contacted
        when for `longest_cap`, and a year at least."""
        self._engine = engine
        self._kept = kept
        self._contacted_kept = max(longest_cap, LEAST_CONTACTED)
        self._chunk = chunk

    async def prune(self, now: datetime) -> None:
        """Delete what is too old."""
        await self._all(_OLD, now - self._kept)
        await self._all(_CONTACTED, now - self._contacted_kept)

    async def _all(self, statement: TextClause, before: datetime) -> None:
        these = {"before": before, "limit": self._chunk}
        while await self._some(statement, these) == self._chunk:
            pass

    async def _some(self, statement: TextClause, these: dict[str, Any]) -> int:
        async with self._engine.begin() as tx:
            return int(await tx.scalar(statement, these))
