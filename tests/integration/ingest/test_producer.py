"""The kernel's producer keeps the contract of ingest's publisher, on both brokers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager

import pytest
from tests.support import logs
from tests.support.brokers import Broker, MakeTopic
from tests.unit.ingest.publisher_contract import PublisherContract

from csm_common.database.outbox import Message
from csm_common.kafka.producer import Producer


class Brokers:
    """A real broker with a topic of its own."""

    def __init__(self, broker: Broker, publisher: Producer, topic: str) -> None:
        self.publisher = publisher
        self.topic = topic
        self._broker = broker

    async def log(self, count: int) -> Sequence[Message]:
        """What a consumer reads."""
        records = await logs.read(self._broker.settings, self.topic, count)
        return [Message(self.topic, each.key, each.value, each.headers) for each in records]

    def away(self) -> AbstractContextManager[None]:
        """Freeze the broker."""
        return self._broker.away()


class TestProducer(PublisherContract):
    @pytest.fixture
    async def brokers(self, broker: Broker, make_topic: MakeTopic) -> AsyncIterator[Brokers]:
        topic = await make_topic(partitions=3)
        async with Producer(broker.settings, deadline_s=5.0) as producer:
            yield Brokers(broker, producer, topic.name)
