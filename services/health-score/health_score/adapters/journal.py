"""The journal table: one row per partition and micro-batch, 16 bytes a fact; never a row per fact."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.domain.journal import Entry

_LOAD = text("""
SELECT number, partition, recorded_at, facts FROM journal
WHERE partition = ANY(CAST(:partitions AS int[])) ORDER BY number
""")

_APPEND = text("""
INSERT INTO journal (partition, recorded_at, facts)
SELECT t.partition, :now, t.facts FROM unnest(CAST(:partitions AS int[]), CAST(:facts AS bytea[])) AS t(partition, facts)
RETURNING number, partition
""")

_DELETE = text("DELETE FROM journal WHERE number = ANY(CAST(:numbers AS bigint[]))")


def pack(facts: Sequence[tuple[int, int]]) -> bytes:
    """Pairs of 64-bit hashes as bytes."""
    return array("Q", [each for pair in facts for each in pair]).tobytes()


def unpack(packed: bytes) -> tuple[tuple[int, int], ...]:
    """The pairs again."""
    flat = array("Q", packed)
    return tuple(zip(flat[::2], flat[1::2], strict=True))


class PostgresJournal:
    """JournalRepository on PostgreSQL."""

    async def load(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, list[Entry]]:
        """All entries of the partitions, oldest first."""
        found: dict[int, list[Entry]] = {partition: [] for partition in partitions}
        for row in await tx.execute(_LOAD, {"partitions": list(partitions)}):
            found[row.partition].append(Entry(row.number, row.recorded_at.timestamp(), unpack(row.facts)))
        return found

    async def append(
        self, tx: AsyncConnection, facts: Mapping[int, Sequence[tuple[int, int]]], now: datetime
    ) -> dict[int, Entry]:
        """One new entry per partition."""
        rows = await tx.execute(
            _APPEND, {"partitions": list(facts), "facts": [pack(each) for each in facts.values()], "now": now}
        )
        numbers = {row.partition: row.number for row in rows}
        return {
            partition: Entry(numbers[partition], now.timestamp(), tuple(pairs))
            for partition, pairs in facts.items()
        }

    async def delete(self, tx: AsyncConnection, entries: Collection[Entry]) -> None:
        """Drop entries that have left the window."""
        await tx.execute(_DELETE, {"numbers": [each.number for each in entries]})
