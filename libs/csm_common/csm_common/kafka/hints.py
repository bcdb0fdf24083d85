"""Tells Kafka how far a consumer is: for lag tools only, so it happens beside the loop and may be late or fail.

The loop does not wait for it. While no broker answers a commit waits for one, and an account's timers must not wait with it.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from csm_common.database.positions import Partition
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_LAST_HINT_S = 1.0


class OffsetHints:
    """Commits the newest offsets to Kafka, one request at a time."""

    def __init__(self, client: AIOKafkaConsumer, consumer: str) -> None:
        self._client = client
        self._consumer = consumer
        self._offsets: dict[Partition, int] = {}
        self._telling: asyncio.Task[None] | None = None

    def tell(self, next_offsets: Mapping[Partition, int]) -> None:
        """These are the offsets to read next; replaces what has not been told yet."""
        self._offsets.update(next_offsets)
        if self._offsets and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._offsets:
            offsets, self._offsets = self._offsets, {}
            try:
                await self._client.commit({TopicPartition(*each): at for each, at in offsets.items()})
            except Exception as error:  # normal in a rebalance; the positions are in PostgreSQL
                log.debug("offset hint not taken", consumer=self._consumer, error=repr(error))

    async def close(self) -> None:
        """Give the last hint a moment."""
        if self._telling is not None:
            await asyncio.wait({self._telling}, timeout=_LAST_HINT_S)
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
