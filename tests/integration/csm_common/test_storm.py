"""The storm: replicas of a service are killed and frozen while events arrive; nothing may be lost, doubled or reordered."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker, MakeTopic, only_apache, restless
from tests.support.consuming import seen
from tests.support.logs import PATIENCE_S, numbered
from tests.support.postgres import Database
from tests.support.storm_worker import CREATE_COUNTS, VARIABLE, Orders
from tests.support.waiting import eventually, let_pass

from csm_common.contracts.topics import Topic
from csm_common.kafka.producer import Producer
from csm_common.telemetry.logs import get_logger

from .test_consumer import assert_once_and_in_order

log = get_logger(__name__)

SEED = int(os.environ.get("CSM_TEST_SEED", "20260302"))
REPLICAS = 3
EVENTS = 8_000
GROUP = 100
FAULTS_OF_A_KIND = 4
PRODUCING_S = 20.0


class Replicas:
    """Worker processes that are started again when they end, as a supervisor would. `exits` counts how they ended."""

    def __init__(self, orders: Orders, logs: Path) -> None:
        self.exits: Counter[int] = Counter()
        self._environment = {**os.environ, VARIABLE: msgspec.json.encode(orders).decode()}
        self._logs = logs
        self._processes: list[psutil.Popen] = []
        self.revive()

    def revive(self) -> None:
        """Start anew what has ended."""
        for process in self._processes:
            if (code := process.poll()) is not None:
                self.exits[code] += 1
        self._processes = [each for each in self._processes if each.returncode is None]
        while len(self._processes) < REPLICAS:
            self._processes.append(self._start())

    def _start(self) -> psutil.Popen:
        with (self._logs / "workers.log").open("ab") as log:
            return psutil.Popen(
                [sys.executable, "-m", "tests.support.storm_worker"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def named(self, pid: int) -> psutil.Popen | None:
        """The worker of that pid, if it runs."""
        return next((each for each in self._processes if each.pid == pid and each.poll() is None), None)

    def end(self) -> list[int]:
        """Ask all to stop and return their exit codes."""
        for process in self._processes:
            process.terminate()
        return [process.wait(30) for process in self._processes]

    def kill_all(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)


@contextmanager
def running_replicas(orders: Orders, logs: Path) -> Iterator[Replicas]:
    """Workers for the length of the block, gone after it whatever happens."""
    replicas = Replicas(orders, logs)
    try:
        yield replicas
    finally:
        replicas.kill_all()


class Storm:
    """Faults that befall workers which own partitions, each once the group has got on since the last."""

    def __init__(self, replicas: Replicas, engine: AsyncEngine, topic: Topic, chance: random.Random) -> None:
        self._replicas = replicas
        self._engine = engine
        self._topic = topic
        self._chance = chance
        self._progress = 0

    async def rage(self) -> None:
        """Kill an owner, freeze one until others have taken its place, or stall one for a moment; again and again."""
        deeds = [self._kill, self._freeze, self._stall] * FAULTS_OF_A_KIND
        self._chance.shuffle(deeds)
        for deed in deeds:
            await eventually(self._has_got_on)
            await deed(await eventually(self._an_owner))
            self._replicas.revive()

    async def _an_owner(self) -> psutil.Popen | None:
        """A worker that holds partitions, drawn by lot; None when it is gone already."""
        return self._replicas.named(self._chance.choice(sorted(await self._owners())))

    async def _kill(self, victim: psutil.Popen) -> None:
        victim.kill()
        victim.wait(10)

    async def _freeze(self, victim: psutil.Popen) -> None:
        victim.send_signal(signal.SIGSTOP)

        async def replaced() -> bool:
            return victim.pid not in await self._owners()

        await eventually(replaced)
        await eventually(self._has_got_on)
        victim.send_signal(signal.SIGCONT)

    async def _stall(self, victim: psutil.Popen) -> None:
        victim.send_signal(signal.SIGSTOP)
        await let_pass(1.0)
        victim.send_signal(signal.SIGCONT)

    async def _has_got_on(self) -> bool:
        self._replicas.revive()
        before, self._progress = self._progress, len(await seen(self._engine, self._topic))
        return self._progress > before

    async def _owners(self) -> set[int]:
        """The pids that hold partitions now."""
        async with self._engine.connect() as connection:
            owners = await connection.scalars(text("SELECT DISTINCT owner FROM positions"))
            return {int(owner.rpartition("/")[2]) for owner in owners}


async def send_all(producer: Producer, topic: Topic) -> None:
    """Events in small groups, faster than the workers handle them, so that a backlog builds up in their buffers."""
    events = numbered(topic, EVENTS, keys=40)
    for start in range(0, EVENTS, GROUP):
        assert not any(await producer.send(events[start : start + GROUP]))
        await let_pass(PRODUCING_S * GROUP / EVENTS)


async def counts(engine: AsyncEngine) -> dict[bytes, int]:
    """The running count of each key."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT key, count FROM counts"))
        return dict(tuple(row) for row in rows)


@only_apache
async def test_a_storm_loses_doubles_and_reorders_nothing(
    broker: Broker, database: Database, engine: AsyncEngine, make_topic: MakeTopic, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - it deals out faults, not secrets
    topic = await make_topic(partitions=4)
    async with engine.begin() as tx:
        await tx.execute(text(CREATE_COUNTS))
    orders = Orders(topic, database.dsn("ingest"), "ingest", restless(broker).model_dump(mode="json"))

    async def complete() -> bool:
        replicas.revive()
        return len(await seen(engine, topic)) >= EVENTS

    with running_replicas(orders, tmp_path) as replicas:
        async with Producer(broker.settings, deadline_s=PATIENCE_S) as producer:
            await asyncio.gather(Storm(replicas, engine, topic, chance).rage(), send_all(producer, topic))
        await eventually(complete, within_s=90)
        endings = replicas.end()

    assert_once_and_in_order(await seen(engine, topic), EVENTS)
    assert await counts(engine) == {f"key-{number}".encode(): EVENTS // 40 for number in range(40)}
    assert replicas.exits[-signal.SIGKILL] == FAULTS_OF_A_KIND
    assert set(endings) <= {0, -signal.SIGTERM}  # the latter when it had hardly been started
    assert set(replicas.exits) <= {-signal.SIGKILL, 1}, (tmp_path / "workers.log").read_text()[-5_000:]
    log.info("storm", seed=SEED, exits=dict(replicas.exits))
