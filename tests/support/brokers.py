"""Brokers for tests: the embedded one and Apache Kafka, one each a session, with topics of its own for every test.

Apache Kafka is the one CSM_TEST_KAFKA names by its bootstrap address, or a child of this session where Java and Maven are
installed. Where it cannot be had, its tests skip with the reason.
"""

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import psutil
import pytest
from tests.support.apache_kafka import jars
from tests.support.apache_kafka.server import ApacheKafka
from tests.support.ports import free_port
from tests.support.waiting import eventually

from csm_cli.stack.broker import EmbeddedBroker
from csm_cli.stack.server import Server
from csm_common.contracts.topics import Topic
from csm_common.errors import TransientError
from csm_common.kafka.admin import TopicAdmin
from csm_common.settings import KafkaSettings

EXTERNAL = "CSM_TEST_KAFKA"
KINDS = ("embedded", pytest.param("apache", marks=pytest.mark.kafka))
"""Both brokers, as parameters of a fixture."""

only_embedded = pytest.mark.parametrize("broker", KINDS[:1], indirect=True)
"""For a test to which the kind of broker makes no difference."""
only_apache = pytest.mark.parametrize("broker", KINDS[1:], indirect=True)
"""For a test of what only Apache Kafka does."""

MakeTopic = Callable[..., Awaitable[Topic]]
"""What the fixture `make_topic` gives: `await make_topic(partitions=2, cleanup="delete")`."""


def pytest_report_header() -> str:
    """Which brokers the tests run on, or why some of them skip."""
    return f"brokers: embedded; Apache Kafka {_apache()}"


def _apache() -> str:
    if external := os.environ.get(EXTERNAL):
        return f"at {external}"
    try:
        return jars.describe()
    except jars.UnavailableError as reason:
        return f"cannot be had, its tests skip: {reason}"


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker and the settings services use with it. `server` is None when it is not ours to end."""

    kind: Literal["embedded", "apache"]
    settings: KafkaSettings
    server: Server | None

    async def create(self, *topics: Topic) -> None:
        """Make the topics, with their dead-letter topics."""
        await TopicAdmin(self.settings).ensure_topics(topics)

    @contextmanager
    def away(self) -> Iterator[None]:
        """The broker answers nothing during the block, and loses nothing; skips the test where it is not ours to stop."""
        if self.server is None:
            pytest.skip(f"the broker {EXTERNAL} names is not ours to stop")
        process = psutil.Process(self.server.child.pid)
        process.send_signal(signal.SIGSTOP)
        while process.status() != psutil.STATUS_STOPPED:  # on a busy machine it may still answer for a moment
            os.sched_yield()
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)


def embedded_settings(bootstrap: str) -> KafkaSettings:
    """What services are told when they run on the embedded broker."""
    return KafkaSettings(
        bootstrap=bootstrap,
        idempotence=False,
        assignment="all",
        on_new_log="restart",
        fetch_max_wait_ms=10,
    )


def apache_settings(bootstrap: str) -> KafkaSettings:
    """The defaults, but for a session as short as any broker allows, so that a dead member is soon noticed."""
    return KafkaSettings(bootstrap=bootstrap, session_timeout_ms=6_000)


def restless(broker: Broker) -> KafkaSettings:
    """The broker's settings with the shortest session it allows: ours is told to allow shorter ones than usual."""
    return broker.settings.model_copy(update={"session_timeout_ms": 2_000 if broker.server else 6_000})


@asynccontextmanager
async def embedded() -> AsyncIterator[Broker]:
    """A fresh embedded broker for the length of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="csm-test-broker-") as home,
        EmbeddedBroker(Path(home), free_port()) as server,
    ):
        yield await _answering(Broker("embedded", embedded_settings(server.bootstrap), server))


@asynccontextmanager
async def apache() -> AsyncIterator[Broker]:
    """Apache Kafka for the length of the block; skips where it cannot be had."""
    if external := os.environ.get(EXTERNAL):
        yield Broker("apache", apache_settings(external), None)
        return
    with tempfile.TemporaryDirectory(prefix="csm-test-kafka-", ignore_cleanup_errors=True) as home:
        try:
            server = ApacheKafka(Path(home))
        except jars.UnavailableError as reason:
            pytest.skip(f"Apache Kafka: {reason}")
        with server:
            yield await _answering(Broker("apache", apache_settings(server.bootstrap), server))


async def _answering(broker: Broker) -> Broker:
    async def answers() -> bool:
        try:
            await broker.create()
        except TransientError:
            return False
        return True

    await eventually(answers, 60.0, what=f"the {broker.kind} broker answers")
    return broker


@pytest.fixture(scope="session")
async def embedded_broker() -> AsyncIterator[Broker]:
    """The session's embedded broker."""
    async with embedded() as broker:
        yield broker


@pytest.fixture(scope="session")
async def apache_broker() -> AsyncIterator[Broker]:
    """The session's Apache Kafka; mark tests that use it directly with `pytest.mark.kafka`."""
    async with apache() as broker:
        yield broker


@pytest.fixture(scope="session", params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each of the session's brokers in turn."""
    found: Broker = request.getfixturevalue(f"{request.param}_broker")
    return found


@pytest.fixture(scope="module", params=KINDS)
async def fresh_broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """Each kind of broker in turn, started for one module: the registry's topics on it are nobody else's."""
    if request.param == "apache" and os.environ.get(EXTERNAL):
        pytest.skip(f"the broker {EXTERNAL} names keeps the registry's topics of earlier tests")
    async with embedded() if request.param == "embedded" else apache() as broker:
        yield broker


def new_topic(partitions: int = 2, cleanup: Literal["delete", "compact"] = "delete") -> Topic:
    """A topic nobody else has, not made yet."""
    return Topic(
        name=f"test.{uuid4().hex[:12]}.v1",
        key="account",
        producers=("test",),
        consumers=("test",),
        partitions=partitions,
        cleanup=cleanup,
        retention_ms=None,
        types=("csm.*",),
        about="Made by a test.",
    )


@pytest.fixture
def make_topic(broker: Broker) -> MakeTopic:
    """Makes a topic on `broker` that nobody else has."""

    async def make(partitions: int = 2, cleanup: Literal["delete", "compact"] = "delete") -> Topic:
        made = new_topic(partitions, cleanup)
        await broker.create(made)
        return made

    return make
