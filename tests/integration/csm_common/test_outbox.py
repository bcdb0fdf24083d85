"""The outbox and its relay: nothing that was committed is lost, and the messages of a key leave in their order."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker, MakeTopic
from tests.support.consuming import running
from tests.support.logs import Logged, numbered, read
from tests.support.waiting import eventually

from csm_common.database import outbox
from csm_common.database.outbox import Message
from csm_common.errors import TooLargeError, TransientError
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay, Sender
from csm_common.settings import KafkaSettings


class FussyBrokers:
    """Takes messages as the Producer does, but for the values in `refused`; `log` is what it took."""

    def __init__(self, *refused: bytes) -> None:
        self.refused = set(refused)
        self.log: list[bytes | None] = []

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Take what is not refused."""
        self.log += [each.value for each in messages if each.value not in self.refused]
        return ["refused" if each.value in self.refused else None for each in messages]


class Watched:
    """A sender that counts how often it could not get all across."""

    def __init__(self, sender: Sender) -> None:
        self.failures = 0
        self._sender = sender

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Pass the messages on."""
        errors = await self._sender.send(messages)
        self.failures += any(errors)
        return errors


async def write(engine: AsyncEngine, messages: Sequence[Message]) -> None:
    """Commit messages to the outbox."""
    async with engine.begin() as tx:
        await outbox.add(tx, messages)


async def waiting(engine: AsyncEngine) -> int:
    """Rows in the outbox."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM outbox")) or 0)


async def is_empty(engine: AsyncEngine) -> bool:
    """Whether all has been published."""
    return await waiting(engine) == 0


def assert_in_order_and_complete(logged: Sequence[Logged], count: int) -> None:
    """Every number from 0 to `count`; repeats are allowed, but the first of each comes in the order of its key."""
    assert {int(each.value or b"") for each in logged} == set(range(count))
    for key in {each.key for each in logged}:
        first_seen = list(dict.fromkeys(int(each.value or b"") for each in logged if each.key == key))
        assert first_seen == sorted(first_seen)


async def test_what_was_written_is_published_as_it_was_and_then_forgotten(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1, cleanup="compact")
    messages = [
        Message(topic.name, b"\x00key", b"\xffvalue", {"traceparent": "00-aa-bb-01", "reason": "größer"}),
        Message(topic.name, b"\x00key", None),
    ]
    async with Producer(settings) as producer:
        relay = OutboxRelay(engine, producer, interval_s=600)
        async with running(relay.run):
            await write(engine, messages)
            relay.wake()
            logged = await read(settings, topic.name, 2)
            await eventually(lambda: is_empty(engine))
    assert [(each.key, each.value) for each in logged] == [(b"\x00key", b"\xffvalue"), (b"\x00key", None)]
    assert logged[0].headers == {
        "content-type": "application/cloudevents+json",
        "traceparent": "00-aa-bb-01",
        "reason": "größer",
    }


async def test_a_transaction_that_fails_publishes_nothing(engine: AsyncEngine) -> None:
    async def fail_after_writing() -> None:
        async with engine.begin() as tx:
            await outbox.add(tx, [Message("t", b"k", b"v")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    assert await is_empty(engine)


async def test_rows_of_a_writer_that_died_are_found_without_a_wake(engine: AsyncEngine) -> None:
    brokers = FussyBrokers()
    async with running(OutboxRelay(engine, brokers, interval_s=0.05).run):
        await write(engine, [Message("t", b"k", b"orphan")])
        await eventually(lambda: brokers.log == [b"orphan"])


async def test_two_relays_keep_the_order_of_every_key(
    engine: AsyncEngine, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=3)
    async with Producer(settings) as one, Producer(settings) as two:
        first, second = (OutboxRelay(engine, each, interval_s=0.01) for each in (one, two))
        async with running(first.run, second.run):
            for start in range(0, 600, 20):
                await write(engine, numbered(topic, 600)[start : start + 20])
                first.wake()
                second.wake()
            await eventually(lambda: is_empty(engine))
    logged = await read(settings, topic.name, 600)
    assert len(logged) == 600
    assert_in_order_and_complete(logged, 600)


async def test_a_relay_takes_no_row_of_a_key_that_another_relay_publishes(engine: AsyncEngine) -> None:
    await write(engine, [Message("t", b"a", b"1"), Message("t", b"a", b"2")])
    other_lane = next(key for key in (b"b", b"c", b"d", b"e") if outbox.lane_of(key) != outbox.lane_of(b"a"))
    async with engine.begin() as one:
        assert [row.message.value for row in await outbox.take(one, 1)] == [b"1"]
        await write(engine, [Message("t", b"a", b"3"), Message("t", other_lane, b"other")])
        async with engine.begin() as two:
            assert [row.message.value for row in await outbox.take(two, 10)] == [b"other"]


async def test_nothing_is_lost_while_the_brokers_are_away(
    engine: AsyncEngine, broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=2)
    async with Producer(settings, deadline_s=0.5) as producer:
        watched = Watched(producer)
        relay = OutboxRelay(engine, watched, interval_s=0.05)
        async with running(relay.run):
            await write(engine, numbered(topic, 100)[:50])
            relay.wake()
            await eventually(lambda: is_empty(engine))
            with broker.away():
                await write(engine, numbered(topic, 100)[50:])
                relay.wake()
                await eventually(lambda: watched.failures)
                assert await waiting(engine) == 50
            await eventually(lambda: is_empty(engine))
    assert_in_order_and_complete(await read(settings, topic.name, 100), 100)


async def test_what_no_relay_could_publish_waits_for_the_next_start(engine: AsyncEngine) -> None:
    stop = asyncio.Event()
    stop.set()
    await write(engine, [Message("t", b"k", b"1")])
    await OutboxRelay(engine, FussyBrokers(b"1")).run(stop)
    assert await waiting(engine) == 1

    brokers = FussyBrokers()
    await OutboxRelay(engine, brokers).run(stop)
    assert brokers.log == [b"1"]
    assert await is_empty(engine)


async def test_the_newest_message_of_a_key_stays_the_last_one_when_an_older_one_failed(
    engine: AsyncEngine,
) -> None:
    brokers = FussyBrokers(b"a1")
    await write(engine, [Message("t", b"a", b"a1"), Message("t", b"a", b"a2"), Message("t", b"b", b"b1")])
    async with running(OutboxRelay(engine, brokers, interval_s=0.01).run):
        await eventually(lambda: brokers.log.count(b"a2") >= 2)
        brokers.refused.clear()
        await eventually(lambda: is_empty(engine))
    assert brokers.log.count(b"b1") == 1
    assert brokers.log[-2:] == [b"a1", b"a2"]


async def test_a_message_no_broker_takes_does_not_get_in(engine: AsyncEngine) -> None:
    with pytest.raises(TooLargeError, match="for big"):
        await write(engine, [Message("big", b"k", b"x" * outbox.MAX_MESSAGE_BYTES)])


async def test_a_full_queue_is_tried_again(engine: AsyncEngine) -> None:
    class FullQueue(FussyBrokers):
        full = True

        async def send(self, messages: Sequence[Message]) -> list[str | None]:
            if self.full:
                self.full = False
                raise TransientError("The queue to the brokers is full.", code="overloaded")
            return await super().send(messages)

    brokers = FullQueue()
    await write(engine, [Message("t", b"k", b"1")])
    async with running(OutboxRelay(engine, brokers, interval_s=0.01).run):
        await eventually(lambda: is_empty(engine))
    assert brokers.log == [b"1"]
