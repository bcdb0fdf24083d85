"""The fake brokers keep the contract of real ones."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from tests.unit.ingest.fakes import MemoryBrokers
from tests.unit.ingest.publisher_contract import PublisherContract

from csm_common.database.outbox import Message


class Brokers:
    """The fake with a topic."""

    def __init__(self) -> None:
        self.publisher = MemoryBrokers()
        self.topic = "customer.events.v1"

    async def log(self, count: int) -> Sequence[Message]:
        """What was acknowledged."""
        return self.publisher.logs[self.topic][:count]

    @contextmanager
    def away(self) -> Iterator[None]:
        """Lose everything."""
        with self.publisher.losing(self.topic):
            yield


class TestMemoryBrokers(PublisherContract):
    @pytest.fixture
    def brokers(self) -> Brokers:
        return Brokers()
