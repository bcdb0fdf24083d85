"""A health-score frozen in the middle of a batch, on Apache Kafka: another takes its partitions over, and what it had in hand is
refused when it wakes. No fact is lost or counted twice, no crossing either."""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker, apache
from tests.support.logs import PATIENCE_S, read
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.support.waiting import eventually, let_pass

from csm_cli.stack.child import Child, answers, python
from csm_cli.stack.home import Home
from csm_cli.stack.server import Server
from csm_common.contracts import envelope
from csm_common.contracts.topics import CUSTOMER_EVENTS, HEALTH_CROSSINGS, Topic
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from csm_common.kafka.config import consumer_config
from csm_common.kafka.producer import Producer
from health_score.adapters.accounts import PostgresAccounts
from health_score.assembly import Parts, create_parts
from health_score.domain.account import AccountState, fold
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.model import Model

pytestmark = pytest.mark.kafka

EVENTS = 20_000
ACCOUNTS = [f"acct-{number}" for number in range(200)]
GROUP = 100
PRODUCING_S = 50.0
FROZEN_S = 45.0
BATCH = 50  # small, so that most of the time some batch is in flight

# Idle for a while: nothing the process has sent is on its way any more, and its batch is in the middle.
_IN_A_BATCH = text("""
SELECT coalesce(bool_and(state = 'idle in transaction' AND state_change < clock_timestamp() - interval '200 ms'), false)
FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE client_port = ANY(:ports) AND relation = 'health_score.positions'::regclass AND mode = 'RowShareLock'
HAVING count(*) > 0
""")
_POSITIONS = text("SELECT partition, epoch, owner, records FROM positions WHERE consumer = 'health-score'")


@dataclass(frozen=True, slots=True)
class Worker:
    """One health-score process."""

    child: Child
    port: int

    @property
    def process(self) -> psutil.Process:
        """To be frozen."""
        assert self.child.pid is not None
        return psutil.Process(self.child.pid)

    def owns(self, owner: str) -> bool:
        """Whether a position's owner is this one."""
        return owner.endswith(f"/{self.child.pid}")

    async def batches_refused(self) -> float:
        """How many batches it dropped or put back, by its own metrics."""
        async with httpx.AsyncClient() as http:
            metrics = (await http.get(f"http://127.0.0.1:{self.port}/metrics")).text
        wanted = ("csm_consumer_fenced_total", "csm_consumer_retries_total")
        samples = (each for family in text_string_to_metric_families(metrics) for each in family.samples)
        return sum(each.value for each in samples if each.name in wanted)


@contextmanager
def running_worker(home: Home, database: Database, broker: Broker) -> Iterator[Worker]:
    """A process of the group, ready; the home is its own, since there is one of each name in a home."""
    port = free_port()
    environment = {
        "CSM_HTTP__PORT": str(port),
        "CSM_DATABASE__DSN": database.dsn("health_score"),
        "CSM_KAFKA__BOOTSTRAP": broker.settings.bootstrap,
        "CSM_KAFKA__SESSION_TIMEOUT_MS": str(broker.settings.session_timeout_ms),
        "CSM_KAFKA__BATCH_RECORDS": str(BATCH),
    }
    child = Child(
        "health-score",
        python("health_score"),
        home=home,
        ready=lambda: answers(port, "/readyz"),
        environment=environment,
    )
    with Server(home, child):
        yield Worker(child, port)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with apache() as running:
        yield running


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    async with database.engine("health_score") as engine:
        yield engine


@pytest.fixture
def workers(database: Database, broker: Broker, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(running_worker(Home(tmp_path / number), database, broker))
            for number in ("1", "2")
        )
        yield one, other


def made_up(seed: int) -> list[Fact]:
    """A month of usage and tickets in the order of time: accounts get worse and better."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible set, no secret
    began = (datetime.now(UTC) - timedelta(days=30)).timestamp()
    facts = []
    for number in range(EVENTS):
        account, status = chance.choice(ACCOUNTS), chance.choice(("open", "solved", None))
        ticket = {
            "ticket_id": f"t{chance.randrange(3)}",
            "status": status,
            "priority": "urgent",
            "escalated": True,
        }
        type_, data = (
            ("csm.ticket.changed", ticket) if status else ("csm.usage.recorded", {"feature": "report"})
        )
        facts.append(
            Fact(f"fact-{number}", type_, account, round(began + number * 30 * 86_400 / EVENTS), data)
        )
    return facts


def message(fact: Fact) -> Message:
    """The fact as ingest would put it on the topic."""
    value = envelope.encode(
        id=fact.id,
        source="/e2e",
        type=fact.type,
        subject=fact.account_id,
        time=datetime.fromtimestamp(fact.time, UTC),
        data=fact.data,
    )
    return Message(CUSTOMER_EVENTS.name, fact.account_id.encode(), value)


def reference(model: Model, facts: Sequence[Fact]) -> dict[str, AccountState]:
    """The states that folding every fact once gives."""
    states = {account: AccountState(account) for account in ACCOUNTS}
    for fact in facts:
        fold(model, states[fact.account_id], fact)
    return states


async def send_all(broker: Broker, facts: Sequence[Fact]) -> None:
    """The facts in small groups: before one of the workers is frozen, and on while it is."""
    messages = [message(each) for each in facts]
    async with Producer(broker.settings, deadline_s=PATIENCE_S) as producer:
        for start in range(0, EVENTS, GROUP):
            assert not any(await producer.send(messages[start : start + GROUP]))
            await let_pass(PRODUCING_S * GROUP / EVENTS)


async def frozen_in_a_batch(worker: Worker, engine: AsyncEngine) -> bool:
    """Stop the process. Where no transaction over its positions is left open by that, let it go on."""
    ports = [each.laddr.port for each in worker.process.net_connections(kind="tcp")]
    worker.process.send_signal(signal.SIGSTOP)
    async with engine.connect() as connection:
        while (idle := await connection.scalar(_IN_A_BATCH, {"ports": ports})) is False:
            os.sched_yield()
    if not idle:
        worker.process.send_signal(signal.SIGCONT)
        await let_pass(0.05)
    return bool(idle)


async def positions(engine: AsyncEngine) -> dict[int, tuple[int, str, int]]:
    """Epoch, owner and records of each partition."""
    async with engine.connect() as connection:
        return {
            row.partition: (row.epoch, row.owner, row.records) for row in await connection.execute(_POSITIONS)
        }


async def folded(parts: Parts, at_least: int) -> bool:
    return (await parts.reads.stats()).folded >= at_least


async def owns(engine: AsyncEngine, worker: Worker, least: int) -> bool:
    return sum(worker.owns(owner) for _, owner, _ in (await positions(engine)).values()) >= least


async def test_what_a_frozen_worker_had_in_hand_is_refused_and_every_fact_counts_once(
    workers: tuple[Worker, Worker], broker: Broker, engine: AsyncEngine
) -> None:
    victim, survivor = workers
    facts, parts = made_up(seed=11), create_parts(engine)
    for each in (victim, survivor):
        await eventually(partial(owns, engine, each, 6), what="the partitions are shared")
    sending = asyncio.create_task(send_all(broker, facts))
    await eventually(partial(folded, parts, EVENTS // 10), what="facts are folded")
    await eventually(
        partial(frozen_in_a_batch, victim, engine), what="one is frozen in the middle of a batch"
    )
    before = await positions(engine)

    frozen_for = asyncio.create_task(let_pass(FROZEN_S))
    await eventually(partial(owns, engine, survivor, 12), 60.0, what="the other has taken over")
    await frozen_for
    victim.process.send_signal(signal.SIGCONT)
    await sending
    await eventually(partial(folded, parts, EVENTS), 120.0, what="everything is folded")
    await eventually(partial(owns, engine, victim, 1), what="it has partitions again")

    assert await victim.batches_refused() > 0
    after = await positions(engine)
    assert all(after[each][0] > epoch for each, (epoch, _, _) in before.items())
    assert sum(records for _, _, records in after.values()) == EVENTS
    assert (await parts.reads.stats()).folded == EVENTS
    async with engine.connect() as connection:
        await parts.models.load(connection)
        states = await PostgresAccounts(parts.codec).load(connection, ACCOUNTS)
    assert_equal(parts.models.latest, states, reference(parts.models.latest, facts))
    await eventually(partial(all_told, engine), what="the outbox is empty")
    await assert_told(states, broker)


def assert_equal(model: Model, states: dict[str, AccountState], expected: dict[str, AccountState]) -> None:
    """Every measure of every account."""
    now = datetime.now(UTC).timestamp()
    assert states.keys() == expected.keys()
    for account, state in expected.items():
        card = model.card_for(state.attributes)
        values = assess(card, states[account], now).values
        assert values == pytest.approx(assess(card, state, now).values), account


async def all_told(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return not await connection.scalar(text("SELECT count(*) FROM outbox"))


async def number_of_records(broker: Broker, topic: Topic) -> int:
    client = AIOKafkaConsumer(topic.name, **consumer_config(broker.settings))
    await client.start()
    try:
        return sum((await client.end_offsets(client.assignment())).values())
    finally:
        await client.stop()


async def assert_told(states: dict[str, AccountState], broker: Broker) -> None:
    """Each crossing of the states is on the topic under its derived id, no other is, and they alternate. A record may be there
    twice where a relay was frozen before it knew that the first had arrived."""
    expected = {
        derived_id("crossing", account, threshold, sequence)
        for account, state in states.items()
        for threshold, stands in state.thresholds.items()
        for sequence in range(1, stands.sequence + 1)
    }
    records = await read(
        broker.settings, HEALTH_CROSSINGS.name, await number_of_records(broker, HEALTH_CROSSINGS)
    )
    told = {
        each["id"]: each["data"] for each in (msgspec.json.decode(record.value or b"") for record in records)
    }
    assert told.keys() == expected
    directions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for crossing in told.values():
        directions[crossing["account_id"], crossing["threshold"]].append(crossing["direction"])
    assert all(a != b for each in directions.values() for a, b in pairwise(each))
