"""What the consumer does when a record, the database or the log itself is at fault."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker, MakeTopic, only_apache
from tests.support.clock import START, ManualClock
from tests.support.consuming import WritingHandler, running, seen
from tests.support.logs import delete, numbered, publish, read
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually

from csm_common.contracts.topics import Topic
from csm_common.database import positions
from csm_common.database.outbox import Message
from csm_common.database.positions import LogStart
from csm_common.errors import FatalError, InvalidError, TransientError
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.producer import Producer
from csm_common.kafka.record import Record
from csm_common.kafka.relay import OutboxRelay
from csm_common.settings import KafkaSettings

from .conftest import BuildConsumer


def refuse(*values: bytes, error: Callable[[str], Exception] = ValueError) -> Callable[[Record], None]:
    """A handler's dislike of records with these values."""

    def judge(record: Record) -> None:
        if record.value in values:
            raise error(f"cannot use {record.value!r}")

    return judge


async def values(engine: AsyncEngine, topic: Topic) -> list[int]:
    """The numbers written down so far."""
    return [int(each.value or b"") for each in await seen(engine, topic)]


async def test_a_poison_record_is_dead_lettered_alone_with_its_bytes_and_the_reason(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    handler = WritingHandler(topic)
    handler.refuse = refuse(b"poison\xff\x00")
    healthy = numbered(topic, 40)
    await publish(settings, [*healthy[:17], Message(topic.name, b"k", b"poison\xff\x00"), *healthy[17:]])

    async with Producer(settings) as producer:
        relay = OutboxRelay(engine, producer)
        async with running(consumer(handler, on_commit=relay.wake).run, relay.run):
            [letter] = await read(settings, topic.dead_letters, 1)
            await eventually(lambda: handled(engine, topic, 40))

    assert await values(engine, topic) == list(range(40))
    assert (letter.key, letter.value) == (b"k", b"poison\xff\x00")
    assert letter.headers == {
        "content-type": "application/cloudevents+json",
        "dlq-consumer": "writer",
        "dlq-topic": topic.name,
        "dlq-partition": "0",
        "dlq-offset": "17",
        "dlq-code": "handler_failed",
        "dlq-reason": "ValueError: cannot use b'poison\\xff\\x00'",
    }


async def handled(engine: AsyncEngine, topic: Topic, count: int) -> bool:
    """Whether that many records were written down."""
    return len(await seen(engine, topic)) >= count


async def test_a_refusal_that_names_its_code_is_dead_lettered_under_it_and_not_tried_again(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    handler = WritingHandler(topic)
    handler.refuse = refuse(b"13", error=lambda sentence: InvalidError(sentence, code="unlucky"))
    await publish(settings, [Message(topic.name, b"k", b"13")])

    async with Producer(settings) as producer:
        relay = OutboxRelay(engine, producer)
        async with running(consumer(handler, on_commit=relay.wake).run, relay.run):
            [letter] = await read(settings, topic.dead_letters, 1)
    assert letter.headers["dlq-code"] == "unlucky"
    assert handler.batches == 2  # as part of its batch, and alone


async def test_a_dead_tombstone_stays_a_tombstone(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1, cleanup="compact")
    handler = WritingHandler(topic)

    def no_tombstones(record: Record) -> None:
        record.value.decode()  # type: ignore[union-attr]  # the mistake of a handler that forgot them

    handler.refuse = no_tombstones
    await publish(settings, [Message(topic.name, b"k", None)])
    async with Producer(settings) as producer:
        relay = OutboxRelay(engine, producer)
        async with running(consumer(handler, on_commit=relay.wake).run, relay.run):
            [letter] = await read(settings, topic.dead_letters, 1)
    assert (letter.key, letter.value) == (b"k", None)


async def test_a_record_as_large_as_the_door_allows_fits_into_the_dead_letters(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    handler = WritingHandler(topic)
    bulk = b"x" * 1_000_000
    handler.refuse = refuse(bulk)
    await publish(settings, [Message(topic.name, b"account", bulk)])
    async with Producer(settings) as producer:
        relay = OutboxRelay(engine, producer)
        async with running(consumer(handler, on_commit=relay.wake).run, relay.run):
            [letter] = await read(settings, topic.dead_letters, 1)
    assert letter.value == bulk


async def test_too_many_poison_records_in_a_row_halt_their_partition_and_nothing_is_skipped(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    other = await make_topic(partitions=1)
    await publish(settings, numbered(topic, 20))
    broken = WritingHandler(topic, other)
    broken.refuse = refuse(*(str(number).encode() for number in range(10, 20)))
    halting = consumer(broken, dead_letter_run=4)
    async with running(halting.run):
        await eventually(lambda: "halted by the dead-letter limit" in (halting.problem() or ""))
        await publish(settings, numbered(other, 5))  # a partition that is well goes on
        await eventually(lambda: handled(engine, other, 5))
    assert await values(engine, topic) == list(range(10))
    assert await waiting_messages(engine) == 3

    mended = WritingHandler(topic, other)
    async with running(consumer(mended, dead_letter_run=4).run):
        await eventually(lambda: handled(engine, topic, 17))
    assert await values(engine, topic) == [*range(10), *range(13, 20)]


async def waiting_messages(engine: AsyncEngine) -> int:
    """Rows in the outbox."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM outbox")) or 0)


async def test_a_transient_failure_puts_the_batch_back_until_it_is_over(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic()
    handler = WritingHandler(topic)

    def fail() -> None:
        raise TransientError("down", retry_after=0.0)

    handler.fail = fail
    await publish(settings, numbered(topic, 50))
    patient = consumer(handler)
    async with running(patient.run):
        await eventually(lambda: "failures in a row" in (patient.problem() or ""))
        assert await seen(engine, topic) == []
        handler.fail = lambda: None
        await eventually(lambda: handled(engine, topic, 50))
        await eventually(lambda: patient.problem() is None)
    assert sorted(await values(engine, topic)) == list(range(50))
    assert handler.forgotten > 2
    assert await waiting_messages(engine) == 0


async def test_a_failing_timer_is_tried_again_and_undoes_no_record(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    handler = WritingHandler(topic)
    handler.due = START
    failures = iter([TransientError("down", retry_after=0.0)] * 3)

    def fail() -> None:
        for error in failures:
            raise error

    handler.fail_due = fail
    await publish(settings, numbered(topic, 30))
    async with running(consumer(handler, clock=ManualClock()).run):
        await eventually(lambda: handler.timers)
        await eventually(lambda: handled(engine, topic, 30))
    assert await values(engine, topic) == list(range(30))
    assert len(handler.timers) == 1


async def test_timers_run_while_no_broker_answers(
    broker: Broker,
    engine: AsyncEngine,
    settings: KafkaSettings,
    make_topic: MakeTopic,
    consumer: BuildConsumer,
) -> None:
    topic = await make_topic(partitions=1)
    handler = WritingHandler(topic)
    async with running(consumer(handler, clock=ManualClock()).run):
        with ExitStack() as outage:

            def lose_the_broker() -> None:
                handler.fail = lambda: None
                handler.due = START
                outage.enter_context(broker.away())

            handler.fail = lose_the_broker  # in the middle of a batch, so that its commit finds nobody
            await publish(settings, numbered(topic, 1))
            await eventually(lambda: handler.timers)
        await publish(settings, numbered(topic, 1))
        await eventually(lambda: handled(engine, topic, 2))


async def test_a_restart_of_postgresql_loses_and_doubles_nothing(
    engine: AsyncEngine,
    postgres: PostgresServer,
    settings: KafkaSettings,
    make_topic: MakeTopic,
    consumer: BuildConsumer,
) -> None:
    topic = await make_topic()
    handler = WritingHandler(topic)
    async with Producer(settings) as producer, running(consumer(handler, batch_records=5).run):
        for start in range(0, 400, 100):
            await producer.send(numbered(topic, 400)[start : start + 100])
            if start == 100:
                await eventually(lambda: handled(engine, topic, 1))
                await asyncio.to_thread(postgres.restart)
        await eventually(lambda: handled(engine, topic, 400))
    assert sorted(await values(engine, topic)) == list(range(400))
    assert await waiting_messages(engine) == 0


async def test_a_topic_made_anew_under_a_position_stops_the_process(
    engine: AsyncEngine,
    broker: Broker,
    settings: KafkaSettings,
    make_topic: MakeTopic,
    consumer: BuildConsumer,
) -> None:
    topic = await make_topic(partitions=1)
    await publish(settings, numbered(topic, 8))
    async with running(consumer(WritingHandler(topic)).run):
        await eventually(lambda: handled(engine, topic, 8))
    await delete(settings, topic)
    await broker.create(topic)

    with pytest.raises(FatalError, match="made anew"):
        await consumer(WritingHandler(topic), on_new_log="stop").run(asyncio.Event())


async def test_a_topic_made_anew_is_read_from_its_start_when_that_was_allowed(
    engine: AsyncEngine,
    broker: Broker,
    settings: KafkaSettings,
    make_topic: MakeTopic,
    consumer: BuildConsumer,
) -> None:
    topic = await make_topic(partitions=1)
    await publish(settings, numbered(topic, 8))
    async with running(consumer(WritingHandler(topic)).run):
        await eventually(lambda: handled(engine, topic, 8))
    await delete(settings, topic)
    await broker.create(topic)
    await publish(settings, numbered(topic, 12))

    async with running(consumer(WritingHandler(topic), on_new_log="restart").run):
        await eventually(lambda: handled(engine, topic, 20))
    assert await values(engine, topic) == [*range(8), *range(12)]


@only_apache  # the embedded broker answers a fetch beyond its end with nothing
async def test_a_position_beyond_the_log_stops_the_process(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    partition = (topic.name, 0)
    [start] = (await TopicAdmin(settings).log_starts([partition])).values()
    async with engine.begin() as tx:
        await positions.claim(tx, "writer", "a restored backup", {partition: LogStart(start.log_id, 1_000)})

    with pytest.raises(FatalError, match="outside the log"):
        await consumer(WritingHandler(topic)).run(asyncio.Event())


async def test_without_a_broker_it_ends_with_one_clear_sentence(
    engine: AsyncEngine, settings: KafkaSettings, consumer: BuildConsumer, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    with pytest.raises(TransientError, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        await consumer(WritingHandler(topic), bootstrap="127.0.0.1:1").run(asyncio.Event())
