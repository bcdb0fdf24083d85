"""Facts through the scorer, and through a program that only reads and decodes them."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.line.place import Place
from csm_common.contracts.envelope import Envelope
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.producer import Producer

ACCOUNTS = 500
_CHUNK = 5_000


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


async def fill(place: Place, events: int) -> None:
    """Put the events on the broker."""
    now = datetime.now(UTC)
    async with Producer(place.kafka) as producer:
        for first in range(0, events, _CHUNK):
            errors = await producer.send([_event(n, now) for n in range(first, min(events, first + _CHUNK))])
            if any(errors):
                raise RuntimeError(f"the broker did not take the events: {errors}")


async def consume_and_decode(place: Place, events: int) -> float:
    """Events/s of a program that does nothing else."""
    partitions = await TopicAdmin(place.kafka).partitions([CUSTOMER_EVENTS])
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
    """Events/s of health-score, from its first commit seen to its last."""
    headers = {"authorization": f"Bearer {place.key}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{place.ports['health_score']}", headers=headers
    ) as http:
        first: tuple[float, int] | None = None
        while True:
            folded = (await http.get("/v1/stats")).json()["folded"]
            if folded >= events:
                break
            if first is None and folded:
                first = (time.perf_counter(), folded)
            await asyncio.sleep(0.02)
        if first is None:
            raise RuntimeError("it was faster than this program could look: give it more events")
        return (events - first[1]) / (time.perf_counter() - first[0])
