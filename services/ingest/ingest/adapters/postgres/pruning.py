"""Dropping what nobody needs any more, a little at a time."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from ingest.adapters.postgres.people import PostgresPeople
from ingest.adapters.postgres.rejections import PostgresRejections

_CHUNK = 5_000


class PostgresPruning:
    """Decisions of messages that no sender sends again, and rejections that nobody cared for."""

    def __init__(self, engine: AsyncEngine, *, decisions_kept: timedelta, rejections_kept: timedelta) -> None:
        self._engine = engine
        self._decisions_kept = decisions_kept
        self._rejections_kept = rejections_kept

    async def prune(self, now: datetime) -> None:
        """Drop all that is too old, each chunk in a transaction of its own."""
        while await self._decisions(now - self._decisions_kept) == _CHUNK:
            pass
        while await self._rejections(now - self._rejections_kept) == _CHUNK:
            pass

    async def _decisions(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            return await PostgresPeople(tx).forget(before, _CHUNK)

    async def _rejections(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            return await PostgresRejections(tx).forget(before, _CHUNK)
