"""Writing to and reading from a topic directly."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from confluent_kafka.admin import AdminClient
from tests.support.waiting import eventually

from csm_common.contracts.topics import Topic
from csm_common.database.outbox import Message
from csm_common.kafka.config import client_config, consumer_config
from csm_common.kafka.producer import Producer
from csm_common.settings import KafkaSettings

PATIENCE_S = 60.0
"""How long a test gives a broker on a busy machine."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One record on a log."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


def numbered(topic: Topic, count: int, keys: int = 10) -> list[Message]:
    """`count` messages with the values 0, 1, 2 …, dealt to `keys` keys in turn."""
    return [
        Message(topic.name, f"key-{number % keys}".encode(), str(number).encode()) for number in range(count)
    ]


async def publish(settings: KafkaSettings, messages: Iterable[Message]) -> None:
    """Put messages on the brokers, and see that all are acknowledged."""
    async with Producer(settings, deadline_s=PATIENCE_S) as producer:
        errors = await producer.send(list(messages))
    assert not any(errors), errors


async def read(settings: KafkaSettings, topic: str, count: int, within_s: float = PATIENCE_S) -> list[Logged]:
    """At least `count` records of a topic from its beginning; AssertionError when they are not there within `within_s`."""
    client = AIOKafkaConsumer(
        topic, **consumer_config(settings), auto_offset_reset="earliest", fetch_max_wait_ms=10
    )
    await client.start()
    try:
        return await _read(client, count, time.monotonic() + within_s)
    finally:
        await client.stop()


async def _read(client: AIOKafkaConsumer, count: int, deadline: float) -> list[Logged]:
    found: list[Logged] = []
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} records came: {found[-3:]}"
        for records in (await client.getmany(timeout_ms=200)).values():
            found += [
                Logged(
                    each.partition,
                    each.offset,
                    each.key,
                    each.value,
                    {name: value.decode() for name, value in each.headers},
                )
                for each in records
            ]
    return found


async def delete(settings: KafkaSettings, topic: Topic) -> None:
    """Remove a topic, and wait until the brokers have forgotten it."""
    admin = AdminClient(client_config(settings))
    for removed in admin.delete_topics([topic.name]).values():
        await asyncio.to_thread(removed.result)
    await eventually(lambda: topic.name not in admin.list_topics(timeout=10).topics)
