"""Producing on librdkafka: its idempotent producer survives broker loss, and batches are four times as fast as aiokafka's.

One daemon thread polls for acknowledgements and hands them to the event loop in groups, one wake-up a poll.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as LibrdkafkaProducer

from csm_common.contracts.envelope import CONTENT_TYPE
from csm_common.contracts.topics import Topic
from csm_common.database.outbox import MAX_MESSAGE_BYTES, Message
from csm_common.errors import TransientError
from csm_common.kafka.admin import unreachable
from csm_common.kafka.config import client_config
from csm_common.settings import KafkaSettings
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_CONTENT_TYPE_HEADER = ("content-type", CONTENT_TYPE.encode())
_POLL_S = 0.1
_FLUSH_S = 5.0
_WARM_UP_S = 10.0
_ELECTION_POLL_S = 0.1


class _Group:
    """Messages sent together; its future is done when the last one is acknowledged or has failed."""

    __slots__ = ("errors", "future", "settled", "size")

    def __init__(self, size: int, future: asyncio.Future[list[str | None]]) -> None:
        self.size = size
        # Two threads count: librdkafka's, and the caller's for what fails at once. One `next` is one step, `-= 1` is several.
        self.settled = count(1)
        self.errors: list[str | None] = [None] * size
        self.future = future


class Producer:
    """`async with Producer(settings) as producer: await producer.send([...])`."""

    def __init__(self, settings: KafkaSettings, *, deadline_s: float | None = None) -> None:
        """`deadline_s` is how long a caller waits for an acknowledgement before it is told of a failure."""
        self._settings = settings
        deadline_ms = int((deadline_s or settings.delivery_timeout_s) * 1000)
        self._client = LibrdkafkaProducer(
            {
                **client_config(settings),
                "acks": "all",
                "enable.idempotence": settings.idempotence,
                "linger.ms": 1,
                "partitioner": "murmur2_random",
                "delivery.timeout.ms": deadline_ms,
                "queue.buffering.max.messages": 200_000,
                "queue.buffering.max.kbytes": 262_144,
                "compression.type": "lz4",
                "message.max.bytes": MAX_MESSAGE_BYTES,
            },
            logger=logging.getLogger("librdkafka"),
        )
        self._done: deque[_Group] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._poll_for_acknowledgements, name="kafka-producer", daemon=True
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> "Producer":
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is on its way is given some seconds; who still waits then is told that it failed."""
        await asyncio.to_thread(self._client.flush, _FLUSH_S)
        self._client.purge()
        await asyncio.to_thread(self._client.flush, _FLUSH_S)
        self._closing.set()
        await asyncio.to_thread(self._thread.join, _FLUSH_S)
        self._resolve()

    async def warm_up(self, topics: Sequence[Topic], *, within_s: float = _WARM_UP_S) -> None:
        """Connect and learn who leads each partition of these topics, so that the first send need not wait for that.

        TransientError where after `within_s` seconds no broker has answered, or a partition has no leader yet.
        """
        names = [each.name for each in topics]
        try:
            await asyncio.to_thread(self._learn_leaders, names, time.monotonic() + within_s)
        except KafkaException as error:
            raise unreachable(self._settings, error) from error

    def _learn_leaders(self, topics: Sequence[str], deadline: float) -> None:
        for topic in topics:
            while not self._is_led(topic, max(deadline - time.monotonic(), _ELECTION_POLL_S)):
                if time.monotonic() > deadline:
                    raise KafkaException(
                        KafkaError(KafkaError.LEADER_NOT_AVAILABLE, f"{topic} has no leader.")
                    )
                time.sleep(_ELECTION_POLL_S)

    def _is_led(self, topic: str, timeout_s: float) -> bool:
        found = self._client.list_topics(topic, timeout_s).topics[topic]
        return bool(found.partitions) and all(each.leader >= 0 for each in found.partitions.values())

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Publish and wait for all acknowledgements: per message None, or a sentence why it is not (known to be) on the log.

        Raises TransientError when the queue to the brokers is full; then none of the messages was sent.
        """
        if not messages:
            return []
        group = _Group(len(messages), asyncio.get_running_loop().create_future())
        for index, message in enumerate(messages):
            self._enqueue(group, index, message)
        return await group.future  # cancelled with whoever waits, and then there is nobody to tell

    def _enqueue(self, group: _Group, index: int, message: Message) -> None:
        def acknowledged(error: KafkaError | None, _: object) -> None:
            if error is not None:
                group.errors[index] = error.str()
            if next(group.settled) == group.size:
                self._done.append(group)

        headers: list[tuple[str, str | bytes | None]] = (
            [_CONTENT_TYPE_HEADER] if message.value is not None else []
        )
        headers += [(name, value.encode()) for name, value in message.headers.items()]
        try:
            self._client.produce(
                message.topic, message.value, message.key, on_delivery=acknowledged, headers=headers
            )
        except BufferError:
            if index == 0:
                raise TransientError(
                    "The queue to the brokers is full.", code="overloaded", retry_after=1.0
                ) from None
            acknowledged(KafkaError(KafkaError._QUEUE_FULL), None)
        except KafkaException as error:
            acknowledged(error.args[0], None)

    def _poll_for_acknowledgements(self) -> None:
        while not self._closing.is_set():
            self._client.poll(_POLL_S)
            if self._done and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        while self._done:
            group = self._done.popleft()
            if not group.future.done():
                group.future.set_result(group.errors)


def describe(errors: Sequence[str | None]) -> dict[str, Any]:
    """How many of a send failed and the first reason, for a log line."""
    failed = [each for each in errors if each is not None]
    return {"failed": len(failed), "of": len(errors), "reason": failed[0] if failed else None}
