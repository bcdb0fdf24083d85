"""Brokers in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from csm_common.database.outbox import Message
from csm_common.errors import TransientError


class MemoryBrokers:
    """Implements ingest's Publisher. What it acknowledged is in `logs`, by topic, in the order in which it was sent."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Message]] = defaultdict(list)
        self.lost: set[str] = set()
        self.halved: set[str] = set()
        self.full = False
        self.waiting = 0
        self._answers = asyncio.Event()
        self._answers.set()

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """All acknowledged, but for those of the topics in `lost`; TransientError while `full`."""
        if self.full and messages:
            raise TransientError("The queue to the brokers is full.", code="overloaded")
        self.waiting += 1
        await self._answers.wait()
        self.waiting -= 1
        return [self._take(number, message) for number, message in enumerate(messages)]

    def _take(self, number: int, message: Message) -> str | None:
        if message.topic in self.lost or (message.topic in self.halved and number % 2):
            return "Local: Message timed out"
        self.logs[message.topic].append(message)
        return None

    @contextmanager
    def losing(self, topic: str) -> Iterator[None]:
        """Nothing on `topic` is acknowledged during the block."""
        self.lost.add(topic)
        yield
        self.lost.remove(topic)

    @contextmanager
    def losing_every_second(self, topic: str) -> Iterator[None]:
        """Of what is sent together on `topic` every second message is not acknowledged during the block."""
        self.halved.add(topic)
        yield
        self.halved.remove(topic)

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Acknowledgements wait until the end of the block; `waiting` senders wait for theirs."""
        self._answers.clear()
        yield
        self._answers.set()
