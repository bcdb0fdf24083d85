"""Reads a partition's log from its beginning, beside every consumer: no group, no positions, nothing written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from csm_common.database.positions import Partition
from csm_common.errors import TransientError
from csm_common.kafka.admin import unreachable
from csm_common.kafka.client import to_record
from csm_common.kafka.config import consumer_config
from csm_common.kafka.record import Record
from csm_common.settings import KafkaSettings

_PATIENCE_MS = 500
_EMPTY_LOOKS = 20
"""How often in a row nothing may come although there has to be something."""


async def read_log(
    settings: KafkaSettings, partition: Partition, until_offset: int
) -> AsyncIterator[list[Record]]:
    """The records below `until_offset`, oldest first, a batch at a time. TransientError where the log does not give them."""
    where = TopicPartition(*partition)
    async with _client(settings, where) as client:
        looks = 0
        while await client.position(where) < until_offset:
            got = await client.getmany(where, timeout_ms=_PATIENCE_MS, max_records=settings.batch_records)
            records = [to_record(each) for each in got.get(where, ()) if each.offset < until_offset]
            looks = 0 if got.get(where) else looks + 1
            if looks > _EMPTY_LOOKS:
                raise TransientError(
                    f"{where.topic}-{where.partition} has been read up to {until_offset} before, but gives nothing more now."
                )
            if records:
                yield records


@asynccontextmanager
async def _client(settings: KafkaSettings, where: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    client = AIOKafkaConsumer(
        **consumer_config(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
    )
    client.assign([where])
    try:
        await client.start()
        await client.seek_to_beginning(where)
        yield client
    except KafkaError as error:
        raise unreachable(settings, error) from error
    finally:
        await client.stop()
