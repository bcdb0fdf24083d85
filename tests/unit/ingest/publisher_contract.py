"""What every publisher that ingest is given must do; run on the fake here and on the real producer in the integration tier."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from csm_common.database.outbox import Message
from ingest.application.ports import Publisher


class Brokers(Protocol):
    """A publisher with a topic of its own, and a look at what came of it."""

    publisher: Publisher
    topic: str

    async def log(self, count: int) -> Sequence[Message]:
        """The first `count` records of the topic."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """No broker answers during the block."""
        ...


class PublisherContract:
    """Subclass it with a fixture `brokers`."""

    async def test_nothing_is_acknowledged_at_once(self, brokers: Brokers) -> None:
        assert await brokers.publisher.send([]) == []

    async def test_what_is_acknowledged_is_on_the_log(self, brokers: Brokers) -> None:
        message = Message(brokers.topic, b"acme", b'{"id": "1"}', {"traceparent": "00-ab-cd-01"})

        assert await brokers.publisher.send([message]) == [None]

        (logged,) = await brokers.log(1)
        assert (logged.key, logged.value) == (message.key, message.value)
        assert logged.headers["traceparent"] == "00-ab-cd-01"

    async def test_the_events_of_one_account_keep_their_order(self, brokers: Brokers) -> None:
        messages = [Message(brokers.topic, b"acme", str(number).encode()) for number in range(50)]

        assert await brokers.publisher.send(messages) == [None] * 50

        assert [each.value for each in await brokers.log(50)] == [each.value for each in messages]

    async def test_what_is_not_acknowledged_is_told_of_with_a_reason(self, brokers: Brokers) -> None:
        with brokers.away():
            errors = await brokers.publisher.send([Message(brokers.topic, b"acme", b"{}")] * 3)

        assert len(errors) == 3
        assert all(errors)
