"""The aiokafka consumer as we need it: no automatic commits, no automatic reset, long enough time-outs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from csm_common.database.positions import Partition
from csm_common.kafka.config import consumer_config
from csm_common.kafka.record import Record
from csm_common.settings import KafkaSettings

PartitionsCallback = Callable[[Sequence[Partition]], Awaitable[None]]


class RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Passes rebalances on in our own words. Mind that aiokafka logs and swallows whatever a callback raises."""

    def __init__(self, revoked: PartitionsCallback, assigned: PartitionsCallback) -> None:
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Before a rebalance: all partitions are given up (the protocol is eager)."""
        await self._revoked([(tp.topic, tp.partition) for tp in revoked])

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """After a rebalance: these are all that are ours."""
        await self._assigned([(tp.topic, tp.partition) for tp in assigned])


def create_client(settings: KafkaSettings, group: str) -> AIOKafkaConsumer:
    """A client that is neither started nor subscribed."""
    timeout = settings.session_timeout_ms
    grouped = {"group_id": group} if settings.assignment == "group" else {}
    return AIOKafkaConsumer(
        **consumer_config(settings),
        **grouped,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        session_timeout_ms=timeout,
        heartbeat_interval_ms=timeout // 10,
        rebalance_timeout_ms=timeout,
        max_poll_interval_ms=max(120_000, timeout),
        partition_assignment_strategy=(StickyPartitionAssignor,),
        max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
    )


def to_record(fetched: Any) -> Record:
    """Our record of an aiokafka ConsumerRecord."""
    traceparent = None
    for name, value in fetched.headers:
        if name == "traceparent":
            traceparent = value.decode(errors="replace")
    return Record(
        fetched.topic,
        fetched.partition,
        fetched.offset,
        fetched.timestamp / 1000,
        fetched.key,
        fetched.value,
        traceparent,
        fetched.headers,
    )
