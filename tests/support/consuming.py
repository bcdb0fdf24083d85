"""A small service for tests of the consumer: a handler that writes down what it is given, and what is needed to run it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.contracts.topics import Topic
from csm_common.database.outbox import CREATE_OUTBOX
from csm_common.database.positions import CREATE_POSITIONS, Partition
from csm_common.kafka.record import Outcome, Record

CREATE_SEEN = """
CREATE TABLE seen (
    place bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    key bytea,
    value bytea
)
"""

_WRITE = text("""
INSERT INTO seen (topic, partition, log_offset, key, value)
SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]), CAST(:keys AS bytea[]),
    CAST(:values AS bytea[]))
""")


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as the handler wrote it down."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


async def create_tables(engine: AsyncEngine) -> None:
    """The kernel's tables and the one of the handler."""
    async with engine.begin() as tx:
        for statement in (CREATE_POSITIONS, CREATE_OUTBOX, CREATE_SEEN):
            await tx.execute(text(statement))


async def seen(engine: AsyncEngine, topic: Topic) -> list[Seen]:
    """What has been written down of a topic, in the order it was written."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT partition, log_offset, key, value FROM seen WHERE topic = :topic ORDER BY place"),
            {"topic": topic.name},
        )
        return [Seen(*row) for row in rows]


class WritingHandler:
    """Implements BatchHandler. `refuse` raises for a record it does not like; `fail` and `fail_due` raise at the end of a batch.

    With `due` set, its timers are due at that instant, once; `timers` lists the partitions and instants they ran with.
    """

    def __init__(self, *topics: Topic, name: str = "writer") -> None:
        self.name = name
        self.topics = topics
        self.refuse: Callable[[Record], None] = lambda record: None
        self.fail: Callable[[], None] = lambda: None
        self.fail_due: Callable[[], None] = lambda: None
        self.due: datetime | None = None
        self.timers: list[tuple[set[Partition], datetime]] = []
        self.claims: list[set[Partition]] = []
        self.batches = 0
        self.forgotten = 0

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Note what is ours now."""
        self.claims.append(set(partitions))

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Write the records down."""
        self.batches += 1
        for record in records:
            self.refuse(record)
        await tx.execute(
            _WRITE,
            {
                "topics": [each.topic for each in records],
                "partitions": [each.partition for each in records],
                "offsets": [each.offset for each in records],
                "keys": [each.key for each in records],
                "values": [each.value for each in records],
            },
        )
        self.fail()
        return Outcome()

    def next_due(self) -> datetime | None:
        """The instant in `due`."""
        return self.due

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Note that the timers ran."""
        self.fail_due()
        self.timers.append((set(partitions), now))
        self.due = None
        return Outcome()

    def forget(self) -> None:
        """Count how often memory was dropped."""
        self.forgotten += 1


@asynccontextmanager
async def running(*loops: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run loops during the block, then ask them to stop and wait for it; raises what one of them died of."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(loop(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(tasks, timeout=60)
        for task in tasks:
            task.result()
