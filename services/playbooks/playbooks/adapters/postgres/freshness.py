"""The table `freshness`: by when each partition of the accounts' snapshots was last read to its end."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_MARK = text("""
INSERT INTO freshness (partition, caught_up_at)
SELECT * FROM unnest(CAST(:partitions AS int[]), CAST(:times AS timestamptz[]))
ON CONFLICT (partition) DO UPDATE SET caught_up_at = greatest(freshness.caught_up_at, EXCLUDED.caught_up_at)
""")

_OLDEST = text("SELECT min(caught_up_at) FROM freshness")


class PostgresFreshness:
    """Implements ports.Freshness."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def mark(self, read: Mapping[int, datetime]) -> None:
        """Of each of these partitions all was read that was told by then."""
        if read:
            partitions = sorted(read)
            times = [read[each] for each in partitions]
            await self._tx.execute(_MARK, {"partitions": partitions, "times": times})

    async def oldest(self) -> datetime | None:
        """When the partition that is furthest behind was last up to date; None where none ever was."""
        found: datetime | None = await self._tx.scalar(_OLDEST)
        return found
