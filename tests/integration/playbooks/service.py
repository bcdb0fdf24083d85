"""The service without its HTTP door, in this process on real servers: with a clock to move, and deaths at the worst moment."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiokafka import AIOKafkaConsumer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import ManualClock
from tests.support.consuming import running
from tests.support.logs import publish
from tests.unit.playbooks.builders import crossing_value, snapshot_value
from tests.unit.playbooks.engine.tables import PostgresTables

from csm_common.contracts.envelope import Envelope
from csm_common.contracts.health import AccountSnapshot, Crossing
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS, Topic
from csm_common.database.outbox import Message
from csm_common.kafka.config import consumer_config
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.settings import KafkaSettings
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.runs import PostgresRuns
from playbooks.adapters.postgres.store import PostgresStore, PostgresTransactions
from playbooks.application.handlers.steps import Rules
from playbooks.domain.run import Run, StepResult
from playbooks.entrypoints.consumer import HealthHandler
from playbooks.entrypoints.pollers import RunTicker

_MARKER = b"the end"


class KilledError(BaseException):
    """The process dies: nothing may catch this."""


class Death:
    """Comes in the transaction that writes so many runs, or so many step results, once; `come` tells whether it has."""

    def __init__(self, *, runs: int | None = None, results: int | None = None) -> None:
        self._left = {"runs": runs, "results": results}
        self.come = False

    def __repr__(self) -> str:
        return f"before {self._left}"

    def look(self, kind: str, written: int) -> None:
        """Die, if it is time."""
        left = self._left[kind]
        if left is not None:
            self._left[kind] = left = left - written
            if left <= 0:
                self._left[kind] = None
                self.come = True
                raise KilledError


class MortalRuns(PostgresRuns):
    """Dies after it has written, before anything can be committed."""

    def __init__(self, tx: AsyncConnection, death: Death) -> None:
        super().__init__(tx)
        self._death = death

    async def add(self, runs: Sequence[Run]) -> None:
        await super().add(runs)
        self._death.look("runs", len(runs))

    async def record(self, results: Sequence[StepResult]) -> None:
        await super().record(results)
        self._death.look("results", len(results))


class MortalTransactions(PostgresTransactions):
    """Transactions whose runs are mortal."""

    def __init__(self, engine: AsyncEngine, death: Death) -> None:
        super().__init__(engine, PlaybookCache())
        self._death = death

    def store(self, tx: AsyncConnection) -> PostgresStore:
        store = super().store(tx)
        store.runs = MortalRuns(tx, self._death)
        return store


@dataclass
class Service:
    """Starts and ends the service any number of times over the same database and brokers."""

    adapters: Adapters
    settings: KafkaSettings
    clock: ManualClock = field(default_factory=ManualClock)

    @property
    def tables(self) -> PostgresTables:
        """What is written."""
        return PostgresTables(self.adapters.engine)

    @asynccontextmanager
    async def running(self, death: Death | None = None) -> AsyncIterator[RunTicker]:
        """A process of the service for the length of the block; raises KilledError where it died."""
        engine, death = self.adapters.engine, death or Death()
        transactions = MortalTransactions(engine, death)
        async with Producer(self.settings) as producer:
            relay = OutboxRelay(engine, producer)
            ticker = RunTicker(
                transactions, self.clock, Rules(), limit=500, look_every_s=1.0, on_commit=relay.wake
            )
            handler = HealthHandler(transactions.store, self.clock, on_started=ticker.wake)
            consumer = ExactlyOnceConsumer(
                self.settings, engine, handler, clock=self.clock, on_commit=relay.wake
            )
            async with running(consumer.run, ticker.run, relay.run):
                yield ticker

    async def tell(self, *told: tuple[str, Crossing] | AccountSnapshot) -> None:
        """Publish what health-score would: crossings with their ids, and snapshots."""
        await publish(self.settings, [_message(each) for each in told])

    async def events(self, topic: Topic, account: str) -> list[Envelope]:
        """All events of an account that are on a topic by now."""
        await publish(self.settings, [Message(topic.name, account.encode(), _MARKER)])
        values = await _values(self.settings, topic, account.encode())
        return [msgspec.json.decode(value, type=Envelope) for value in values]


def _message(told: tuple[str, Crossing] | AccountSnapshot) -> Message:
    if isinstance(told, AccountSnapshot):
        return Message(HEALTH_ACCOUNTS.name, told.account_id.encode(), snapshot_value(told))
    crossing_id, crossing = told
    return Message(HEALTH_CROSSINGS.name, crossing.account_id.encode(), crossing_value(crossing_id, crossing))


async def _values(settings: KafkaSettings, topic: Topic, key: bytes, within_s: float = 20.0) -> list[bytes]:
    """The values under a key up to the last marker; earlier markers are left out."""
    client = AIOKafkaConsumer(
        topic.name, **consumer_config(settings), auto_offset_reset="earliest", fetch_max_wait_ms=10
    )
    await client.start()
    try:
        deadline = time.monotonic() + within_s
        values: list[bytes] = []
        while not values or values[-1] != _MARKER:
            assert time.monotonic() < deadline, f"the marker did not come after {values}"
            for records in (await client.getmany(timeout_ms=200)).values():
                values += [each.value for each in records if each.key == key]
        return [value for value in values if value != _MARKER]
    finally:
        await client.stop()
