"""The producer: acknowledged means on the log, in order, in the partition every other client would choose; never a hang."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.brokers import Broker, MakeTopic, new_topic, only_apache, only_embedded
from tests.support.logs import numbered, publish, read

from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from csm_common.kafka.producer import Producer
from csm_common.settings import KafkaSettings

# Of Apache Kafka's own test of Utils.murmur2.
MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


async def test_what_is_acknowledged_is_on_the_log_in_the_order_of_its_key(
    settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=3)
    async with Producer(settings) as producer:
        groups = slices(numbered(topic, 1_000), 50)
        answers = await asyncio.gather(*(producer.send(group) for group in groups))
    assert [error for errors in answers for error in errors] == [None] * 1_000

    logged = await read(settings, topic.name, 1_000)
    for key in {each.key for each in logged}:
        of_key = [each for each in logged if each.key == key]
        assert len({each.partition for each in of_key}) == 1
        assert [int(each.value or b"") for each in of_key] == sorted(
            int(each.value or b"") for each in of_key
        )


def slices(messages: list[Message], size: int) -> list[list[Message]]:
    """The messages in groups of `size`."""
    return [messages[start : start + size] for start in range(0, len(messages), size)]


async def test_a_key_goes_where_the_java_client_would_put_it(
    settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=12)
    await publish(settings, [Message(topic.name, key, b"") for key in MURMUR2])
    placed = {each.key: each.partition for each in await read(settings, topic.name, len(MURMUR2))}
    assert placed == {key: (code & 0x7FFFFFFF) % 12 for key, code in MURMUR2.items()}


async def test_headers_and_tombstones_arrive_as_they_were_sent(
    settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    await publish(
        settings,
        [Message(topic.name, b"k", b"{}", {"traceparent": "00-aa-bb-01"}), Message(topic.name, b"k", None)],
    )
    event, tombstone = await read(settings, topic.name, 2)
    assert event.headers == {"content-type": "application/cloudevents+json", "traceparent": "00-aa-bb-01"}
    assert (tombstone.value, tombstone.headers) == (None, {})


async def test_a_message_no_broker_takes_fails_alone(settings: KafkaSettings, make_topic: MakeTopic) -> None:
    topic = await make_topic(partitions=1)
    huge = Message(topic.name, b"k", b"x" * 1_100_000)
    async with Producer(settings) as producer:
        before, refused, after = await producer.send([*numbered(topic, 1), huge, *numbered(topic, 1)])
    assert (before, after) == (None, None)
    assert refused is not None
    assert "size" in refused


async def test_however_many_fail_at_once_while_others_are_acknowledged_all_are_told(
    settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    huge = Message(topic.name, b"k", b"x" * 1_100_000)
    mixed = [each for good in numbered(topic, 500) for each in (good, huge)]
    async with Producer(settings, deadline_s=60.0) as producer:
        for _ in range(10):
            errors = await asyncio.wait_for(producer.send(mixed), 60)
            assert errors[::2] == [None] * 500
            assert all(errors[1::2])


async def test_a_first_send_after_warming_up_is_in_time(
    settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=12)
    async with Producer(settings, deadline_s=2.0) as producer:
        await producer.warm_up([topic])
        assert await producer.send(numbered(topic, 24)) == [None] * 24


@only_apache  # the embedded broker makes every topic that it is asked for
async def test_warming_up_tells_which_topic_is_not_there(settings: KafkaSettings) -> None:
    async with Producer(settings) as producer:
        with pytest.raises(TransientError, match=r"test\.nowhere\.v1 has no leader"):
            await producer.warm_up([replace(new_topic(), name="test.nowhere.v1")], within_s=0.5)


@only_embedded  # whichever broker is away, the client is the same
async def test_warming_up_ends_where_no_broker_answers(
    broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    with broker.away():
        async with Producer(settings) as producer:
            with pytest.raises(TransientError, match="does not answer") as away:
                await asyncio.wait_for(producer.warm_up([topic], within_s=1.0), 60)
    assert away.value.code == "brokers_unavailable"


async def test_while_no_broker_answers_a_caller_is_told_after_its_deadline(
    broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    async with Producer(settings, deadline_s=5.0) as producer:
        assert await producer.send(numbered(topic, 1)) == [None]
        with broker.away():
            errors = await producer.send(numbered(topic, 3))
        assert all(error and "timed out" in error for error in errors)
        assert len(errors) == 3


async def test_it_works_again_once_the_brokers_do(
    broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    async with Producer(settings, deadline_s=60.0) as producer:
        with broker.away():
            sending = asyncio.create_task(producer.send(numbered(topic, 20)))
            done, _ = await asyncio.wait({sending}, timeout=0.5)
            assert not done
        assert await sending == [None] * 20
    assert [each.value for each in await read(settings, topic.name, 20)] == [
        each.value for each in numbered(topic, 20)
    ]


@only_embedded  # whichever broker is away, the client is the same
async def test_closing_tells_those_who_still_wait(
    broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    with broker.away():
        async with Producer(settings, deadline_s=300.0) as producer:
            waiting = asyncio.create_task(producer.send(numbered(topic, 2)))
            await asyncio.sleep(0)  # let it begin
        errors = await asyncio.wait_for(waiting, 60)
    assert all(errors)


@only_embedded  # whichever broker is away, the client is the same
async def test_a_full_queue_refuses_at_once_and_sends_nothing_of_it(
    broker: Broker, settings: KafkaSettings, make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=1)
    message = Message(topic.name, b"k", b"v")
    with broker.away():
        async with Producer(settings, deadline_s=300.0) as producer:
            filling = asyncio.create_task(producer.send([message] * 200_001))
            await asyncio.sleep(0)  # let it begin
            with pytest.raises(TransientError, match="full") as full:
                await producer.send([message])
            assert full.value.code == "overloaded"
        errors = await asyncio.wait_for(filling, 60)
    assert errors[-1] is not None
    assert "full" in errors[-1].lower()
