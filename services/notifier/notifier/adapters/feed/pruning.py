"""Keeps the feed's tables from growing without end: what ended long ago, waits beyond the bound, or belongs to nobody."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_OLD = text("""
DELETE FROM feed_deliveries WHERE id IN (
    SELECT id FROM feed_deliveries WHERE finished_at <
        CASE WHEN status = 'failed' THEN CAST(:failed_before AS timestamptz) ELSE CAST(:before AS timestamptz) END
    ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")

_ORPHANS = (
    text(
        "DELETE FROM feed_deliveries d WHERE NOT EXISTS (SELECT FROM subscriptions WHERE id = d.subscription_id)"
    ),
    text("DELETE FROM feed_told t WHERE NOT EXISTS (SELECT FROM subscriptions WHERE id = t.subscription_id)"),
)

_SECRETS = text("DELETE FROM subscription_secrets WHERE expires_at <= :now")

# What is in somebody's hands right now counts, and is left to them.
_BACKLOG = text("""
WITH surplus AS (
    SELECT d.id, d.subscription_id FROM subscriptions s CROSS JOIN LATERAL (
        SELECT id, subscription_id, status FROM feed_deliveries WHERE subscription_id = s.id AND wake_at IS NOT NULL
        ORDER BY created_at DESC, id DESC OFFSET CAST(:bound AS int)
    ) d WHERE d.status IN ('pending', 'retry')
), dropped AS (
    UPDATE feed_deliveries d SET status = 'cancelled', wake_at = NULL, finished_at = :now,
        reason = 'dropped: more than ' || CAST(:bound AS int) || ' were waiting, and newer ones tell what is so now'
    FROM surplus WHERE d.id = surplus.id AND d.status IN ('pending', 'retry') RETURNING d.subscription_id
), counted AS (
    SELECT subscription_id, count(*) AS number FROM dropped GROUP BY subscription_id
)
UPDATE subscriptions s SET dropped = s.dropped + counted.number FROM counted WHERE s.id = counted.subscription_id
RETURNING s.id, counted.number
""")


class FeedPruning:
    """`trim` often, `prune` now and then; a little at a time."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        kept: timedelta,
        failed_kept: timedelta,
        backlog: int,
        chunk: int = 5_000,
    ) -> None:
        """Failed deliveries are kept for `failed_kept`, the others for `kept` after they ended; `backlog` may wait for each
        subscription."""
        self._engine = engine
        self._kept = kept
        self._failed_kept = failed_kept
        self._backlog = backlog
        self._chunk = chunk

    async def trim(self, now: datetime) -> int:
        """Drop the oldest of what waits beyond the bound; how many they were."""
        async with self._engine.begin() as tx:
            rows = (await tx.execute(_BACKLOG, {"bound": self._backlog, "now": now})).all()
        for row in rows:
            metrics.feed_dropped.add(row.number, {})
            log.warning("deliveries dropped, as too many wait", subscription=row.id, dropped=row.number)
        return sum(row.number for row in rows)

    async def prune(self, now: datetime) -> None:
        """Delete what ended long ago, and what belongs to subscriptions that are gone."""
        before = {"before": now - self._kept, "failed_before": now - self._failed_kept, "limit": self._chunk}
        while await self._old(before) == self._chunk:
            pass
        async with self._engine.begin() as tx:
            await tx.execute(_SECRETS, {"now": now})
            for statement in _ORPHANS:
                await tx.execute(statement)

    async def _old(self, before: dict[str, object]) -> int:
        async with self._engine.begin() as tx:
            return (await tx.execute(_OLD, before)).rowcount
