"""The consumer's ordinary day: all records, each once, in the order of their keys, with positions that outlive it."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import MakeTopic
from tests.support.clock import START, ManualClock
from tests.support.consuming import Seen, WritingHandler, running, seen
from tests.support.logs import numbered, publish
from tests.support.waiting import eventually

from csm_common.database.outbox import Message
from csm_common.settings import KafkaSettings

from .conftest import BuildConsumer


def assert_once_and_in_order(found: list[Seen], count: int) -> None:
    """Every number from 0 to `count` once, those of a key in rising order."""
    numbers = [int(each.value or b"") for each in found]
    assert sorted(numbers) == list(range(count))
    for key in {each.key for each in found}:
        of_key = [int(each.value or b"") for each in found if each.key == key]
        assert of_key == sorted(of_key)


async def positions(engine: AsyncEngine) -> dict[int, int]:
    """Next offset by partition."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT partition, next_offset FROM positions"))
        return {row.partition: row.next_offset for row in rows}


async def test_everything_is_handled_once_in_the_order_of_its_key(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=3)
    handler = WritingHandler(topic)
    commits: list[None] = []
    await publish(settings, numbered(topic, 300))

    async def complete() -> bool:
        return len(await seen(engine, topic)) >= 600

    async with running(consumer(handler, on_commit=lambda: commits.append(None)).run):
        await publish(
            settings,
            [Message(m.topic, m.key, str(int(m.value or b"") + 300).encode()) for m in numbered(topic, 300)],
        )
        await eventually(complete)

    found = await seen(engine, topic)
    assert_once_and_in_order(found, 600)
    assert await positions(engine) == {
        number: max((each.offset for each in found if each.partition == number), default=-1) + 1
        for number in range(3)
    }
    assert handler.claims == [{(topic.name, 0), (topic.name, 1), (topic.name, 2)}]
    assert len(commits) == handler.batches


async def test_a_restart_goes_on_where_the_last_one_stopped(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic()
    for day in range(3):
        await publish(
            settings,
            [Message(topic.name, b"key", str(number).encode()) for number in range(day * 5, day * 5 + 5)],
        )
        expected = (day + 1) * 5

        async def complete(expected: int = expected) -> bool:
            return len(await seen(engine, topic)) >= expected

        async with running(consumer(WritingHandler(topic)).run):
            await eventually(complete)
    assert_once_and_in_order(await seen(engine, topic), 15)


async def test_a_tombstone_reaches_the_handler_as_none(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=1, cleanup="compact")
    await publish(settings, [Message(topic.name, b"a", b"1"), Message(topic.name, b"a", None)])

    async def found() -> bool:
        return [each.value for each in await seen(engine, topic)] == [b"1", None]

    async with running(consumer(WritingHandler(topic)).run):
        await eventually(found)


async def test_timers_run_in_the_owner_when_they_are_due_and_nothing_arrives(
    make_topic: MakeTopic, consumer: BuildConsumer
) -> None:
    topic = await make_topic(partitions=2)
    clock = ManualClock()
    handler = WritingHandler(topic)
    handler.due = START + timedelta(minutes=5)
    async with running(consumer(handler, clock=clock).run):
        await eventually(lambda: handler.claims)
        assert handler.timers == []
        clock.advance(timedelta(minutes=5))
        await eventually(lambda: handler.timers)
    assert handler.timers == [({(topic.name, 0), (topic.name, 1)}, START + timedelta(minutes=5))]
