"""Facts through the scorer, and through a program that only reads and decodes them."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from benchmarks.line.place import Place
from csm_common.contracts.envelope import Envelope
from csm_common.contracts.topics import CUSTOMER_EVENTS, Topic
from csm_common.database.engine import create_engine
from csm_common.database.outbox import Message
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.producer import Producer

ACCOUNTS = 500
_CHUNK = 5_000
_FOLDED = text("SELECT coalesce(sum(folded), 0)::bigint FROM intake")


def messages(events: int) -> Iterator[Message]:
    """So many facts, a twentieth of them about tickets."""
    now = datetime.now(UTC)
    return (_event(number, now) for number in range(events))


def _event(number: int, now: datetime) -> Message:
    account = f"acct-{number % ACCOUNTS}"
    ticket = number % 20 == 0
    value = {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": "/benchmark",
        "type": "csm.ticket.changed" if ticket else "csm.usage.recorded",
        "subject": account,
        "time": now - timedelta(minutes=number % 40_000),
        "data": {
            "ticket_id": f"t{number % 400}",
            "status": "open" if number % 40 else "solved",
            "priority": "high",
        }
        if ticket
        else {"feature": f"feature-{number % 12}", "user_id": f"user-{number % 97}"},
    }
    return Message(CUSTOMER_EVENTS.name, account.encode(), msgspec.json.encode(value))


async def fill(place: Place, messages: Iterable[Message]) -> None:
    """Put the messages on the broker."""
    left = iter(messages)
    async with Producer(place.kafka) as producer:
        while chunk := list(islice(left, _CHUNK)):
            errors = await producer.send(chunk)
            if any(errors):
                raise RuntimeError(f"the broker did not take the events: {errors}")


async def consume_and_decode(place: Place, events: int, topic: Topic = CUSTOMER_EVENTS) -> float:
    """Events/s of a program that does nothing else."""
    partitions = await TopicAdmin(place.kafka).partitions([topic])
    client = AIOKafkaConsumer(
        bootstrap_servers=place.kafka.bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=place.kafka.fetch_max_wait_ms,
        max_partition_fetch_bytes=place.kafka.max_partition_fetch_bytes,
    )
    client.assign([TopicPartition(*each) for each in partitions])
    decoder = msgspec.json.Decoder(Envelope)
    await client.start()
    try:
        began, seen = time.perf_counter(), 0
        while seen < events:
            got = await client.getmany(timeout_ms=500, max_records=place.kafka.batch_records)
            for records in got.values():
                for record in records:
                    decoder.decode(record.value)
                seen += len(records)
        return events / (time.perf_counter() - began)
    finally:
        await client.stop()


async def score(place: Place, events: int) -> float:
    """Events/s of health-score, from its first commit seen to its last; `events` is how many it will have folded in all.

    PostgreSQL is asked, not the process that is being measured.
    """
    engine = create_engine(place.dsns["health_score"], schema="health_score", pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            before: int = await connection.scalar(_FOLDED)
            first: tuple[float, int] | None = None
            while (folded := await connection.scalar(_FOLDED)) < events:
                if first is None and folded > before:
                    first = (time.perf_counter(), folded)
                await asyncio.sleep(0.02)
            ended = time.perf_counter()
    finally:
        await engine.dispose()
    if first is None:
        raise RuntimeError("it was faster than this program could look: give it more events")
    return (events - first[1]) / (ended - first[0])
