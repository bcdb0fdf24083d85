"""Several consumers: partitions are shared and handed over, the former owner is fenced, gaps in the log are legal."""

import asyncio
from dataclasses import replace

import pytest
from confluent_kafka import Producer as TransactionalProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker, MakeTopic, only_apache, restless
from tests.support.consuming import WritingHandler, running, seen
from tests.support.logs import numbered, publish
from tests.support.waiting import eventually

from csm_common.contracts.topics import Topic
from csm_common.database import positions
from csm_common.database.positions import LogStart
from csm_common.errors import FatalError
from csm_common.kafka.admin import TopicAdmin
from csm_common.settings import KafkaSettings

from .conftest import BuildConsumer
from .test_consumer import assert_once_and_in_order


async def handled(engine: AsyncEngine, topic: Topic, count: int) -> bool:
    """Whether that many records were written down."""
    return len(await seen(engine, topic)) >= count


async def usurp(engine: AsyncEngine, settings: KafkaSettings, topic: Topic) -> None:
    """Claim all partitions as another process would."""
    admin = TopicAdmin(settings)
    starts: dict[tuple[str, int], LogStart] = await admin.log_starts(await admin.partitions([topic]))
    async with engine.begin() as tx:
        await positions.claim(tx, "writer", "another process", starts)


@only_apache
async def test_two_members_share_the_partitions_and_one_takes_over_when_the_other_leaves(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=4)
    name = f"group-of-{topic.name}"
    staying, leaving = WritingHandler(topic, name=name), WritingHandler(topic, name=name)
    messages = numbered(topic, 400)
    async with running(consumer(staying).run):
        await publish(settings, messages[:100])
        async with running(consumer(leaving).run):
            await eventually(lambda: staying.claims and leaving.claims)
            await eventually(lambda: [len(each.claims[-1]) for each in (staying, leaving)] == [2, 2])
            await publish(settings, messages[100:300])
            await eventually(lambda: handled(engine, topic, 300))
        await eventually(lambda: len(staying.claims[-1]) == 4)
        await publish(settings, messages[300:])
        await eventually(lambda: handled(engine, topic, 400))
    assert_once_and_in_order(await seen(engine, topic), 400)


@only_apache
async def test_a_member_without_partitions_is_told_so(
    engine: AsyncEngine, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    name = f"group-of-{topic.name}"
    one, two = WritingHandler(topic, name=name), WritingHandler(topic, name=name)
    async with running(consumer(one).run, consumer(two).run):
        await eventually(lambda: one.claims and two.claims)
        await eventually(lambda: {len(one.claims[-1]), len(two.claims[-1])} == {0, 1})


async def test_the_only_owner_ends_when_another_process_claims_its_partitions(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic()
    handler = WritingHandler(topic)
    fenced = asyncio.create_task(consumer(handler, assignment="all").run(asyncio.Event()))
    await eventually(lambda: handler.claims)
    await usurp(engine, settings, topic)
    await publish(settings, numbered(topic, 10))
    with pytest.raises(FatalError, match="another process owns our partitions"):
        await fenced
    assert await seen(engine, topic) == []


@only_apache
async def test_a_fence_that_no_rebalance_explains_ends_the_process_so_that_it_claims_anew(
    broker: Broker,
    engine: AsyncEngine,
    settings: KafkaSettings,
    make_topic: MakeTopic,
    consumer: BuildConsumer,
) -> None:
    topic = await make_topic()
    handler = WritingHandler(topic)
    session = restless(broker).session_timeout_ms
    stuck = consumer(handler, session_timeout_ms=session)
    fenced = asyncio.create_task(stuck.run(asyncio.Event()))
    await eventually(lambda: handler.claims)
    await usurp(engine, settings, topic)
    await publish(settings, numbered(topic, 10))
    await eventually(lambda: "another owner" in (stuck.problem() or ""))
    with pytest.raises(FatalError, match="Kafka still calls them ours"):
        await fenced
    assert await seen(engine, topic) == []

    async with running(consumer(WritingHandler(topic), session_timeout_ms=session).run):
        await eventually(lambda: handled(engine, topic, 10))
    assert_once_and_in_order(await seen(engine, topic), 10)


@only_apache
async def test_transaction_markers_and_aborted_records_are_gaps_and_nothing_is_missed(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1)
    await asyncio.to_thread(write_in_transactions, settings, topic)
    async with running(consumer(WritingHandler(topic)).run):
        await eventually(lambda: handled(engine, topic, 3))
    found = await seen(engine, topic)
    assert [each.value for each in found] == [b"0", b"2", b"4"]
    assert [each.offset for each in found] == [0, 4, 8]


def write_in_transactions(settings: KafkaSettings, topic: Topic) -> None:
    """0 to 4, each in its own transaction; the odd ones are aborted."""
    writer = TransactionalProducer(
        {"bootstrap.servers": settings.bootstrap, "transactional.id": f"writer-of-{topic.name}"}
    )
    writer.init_transactions(60)
    for number in range(5):
        writer.begin_transaction()
        writer.produce(topic.name, str(number).encode(), b"key")
        writer.flush()
        if number % 2:
            writer.abort_transaction(60)
        else:
            writer.commit_transaction(60)


async def test_positions_of_a_topic_that_is_read_by_two_consumers_are_their_own(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic()
    twin = replace(topic, about="The same topic, as the other consumer knows it.")
    await publish(settings, numbered(topic, 20))
    async with running(
        consumer(WritingHandler(topic, name="one")).run, consumer(WritingHandler(twin, name="two")).run
    ):
        await eventually(lambda: handled(engine, topic, 40))
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT consumer, sum(records) FROM positions GROUP BY consumer ORDER BY consumer")
        )
        assert [tuple(row) for row in rows] == [("one", 20), ("two", 20)]
