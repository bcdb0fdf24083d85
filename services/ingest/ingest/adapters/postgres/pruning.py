"""Dropping what nobody needs any more, a little at a time."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from ingest.adapters.postgres.people import PostgresPeople
from ingest.adapters.postgres.rejections import PostgresRejections


class PostgresPruning:
    """Decisions of messages that no sender sends again, and rejections that nobody cared for."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        decisions_kept: timedelta,
        rejections_kept: timedelta,
        chunk: int = 5_000,
    ) -> None:
        self._engine = engine
        self._chunk = chunk
        self._decisions_kept = decisions_kept
        self._rejections_kept = rejections_kept

    async def prune(self, now: datetime) -> None:
        """Drop all that is too old, each chunk in a transaction of its own."""
        while await self._decisions(now - self._decisions_kept) == self._chunk:
            pass
        while await self._rejections(now - self._rejections_kept) == self._chunk:
            pass

    async def _decisions(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            return await PostgresPeople(tx).forget(before, self._chunk)

    async def _rejections(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            return await PostgresRejections(tx).forget(before, self._chunk)
