"""One replica of a service in the storm: counts the events of each key, in memory and in PostgreSQL, and may die at any point.

Run as `python -m tests.support.storm_worker`; its settings are JSON in the environment variable STORM.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence

import msgspec
import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.consuming import WritingHandler
from tests.support.waiting import let_pass

from csm_common.clock import SystemClock
from csm_common.contracts.topics import Topic
from csm_common.database.engine import service_engine
from csm_common.database.positions import Partition
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.record import Outcome, Record
from csm_common.settings import DatabaseSettings, KafkaSettings, TelemetrySettings
from csm_common.telemetry.logs import setup_logs

VARIABLE = "STORM"
CREATE_COUNTS = "CREATE TABLE counts (key bytea PRIMARY KEY, count bigint NOT NULL)"

_BATCH = 20
_WORK_S = 0.03  # so that there is a backlog, and a fault finds most workers in the middle of a transaction

_READ = text("SELECT key, count FROM counts WHERE key = ANY(CAST(:keys AS bytea[]))")
_KEEP = text("""
INSERT INTO counts (key, count)
SELECT * FROM unnest(CAST(:keys AS bytea[]), CAST(:counts AS bigint[]))
ON CONFLICT (key) DO UPDATE SET count = EXCLUDED.count
""")


class Orders(msgspec.Struct, frozen=True):
    """What a worker is told."""

    topic: Topic
    dsn: str
    schema: str
    kafka: dict[str, object]


class CountingHandler(WritingHandler):
    """Keeps counts in memory, as a service keeps its accounts' states: one that is stale shows in the end."""

    def __init__(self, topic: Topic) -> None:
        super().__init__(topic, name="storm")
        self._counts: Counter[bytes | None] = Counter()

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Other owners may have counted on."""
        self.forget()

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Write the records down and keep the new counts."""
        fresh = Counter(record.key for record in records)
        unknown = [key for key in fresh if key not in self._counts]
        rows = await tx.execute(_READ, {"keys": unknown})
        self._counts.update({row.key: row.count for row in rows})
        self._counts.update(fresh)
        await tx.execute(_KEEP, {"keys": list(fresh), "counts": [self._counts[key] for key in fresh]})
        await let_pass(_WORK_S)
        return await super().handle(tx, records)

    def forget(self) -> None:
        """Drop all counts."""
        self._counts.clear()


async def work(orders: Orders) -> None:
    """Consume until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    engine = service_engine(DatabaseSettings.model_validate({"dsn": orders.dsn}), orders.schema)
    settings = KafkaSettings.model_validate({**orders.kafka, "batch_records": _BATCH})
    try:
        await ExactlyOnceConsumer(settings, engine, CountingHandler(orders.topic), clock=SystemClock()).run(
            stop
        )
    finally:
        await engine.dispose()


if __name__ == "__main__":
    setup_logs("storm", TelemetrySettings())
    uvloop.run(work(msgspec.json.decode(os.environ[VARIABLE], type=Orders)))
