"""One POST to its crossing, and one record through the broker alone."""

import time
from uuid import uuid4

import httpx
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.line.place import Place
from csm_common.contracts.topics import HEALTH_CROSSINGS, NOTIFICATION_REQUESTS, Topic
from csm_common.database.outbox import Message
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.producer import Producer


async def _reader(place: Place, topic: Topic) -> AIOKafkaConsumer:
    """A consumer at the end of every partition of the topic."""
    client = AIOKafkaConsumer(
        bootstrap_servers=place.kafka.bootstrap,
        auto_offset_reset="latest",
        fetch_max_wait_ms=place.kafka.fetch_max_wait_ms,
    )
    partitions = [TopicPartition(*each) for each in await TopicAdmin(place.kafka).partitions([topic])]
    client.assign(partitions)
    await client.start()
    await client.seek_to_end(*partitions)
    for each in partitions:
        await client.position(each)
    return client


async def _arrival(client: AIOKafkaConsumer, key: bytes) -> float:
    while True:
        for records in (await client.getmany(timeout_ms=500)).values():
            if any(record.key == key for record in records):
                return time.perf_counter()


async def floor_latencies(place: Place, times: int) -> list[float]:
    """Seconds from producing a record to having consumed it."""
    client = await _reader(place, NOTIFICATION_REQUESTS)
    latencies = []
    try:
        async with Producer(place.kafka) as producer:
            for number in range(times):
                key = f"floor-{number}".encode()
                began = time.perf_counter()
                await producer.send([Message(NOTIFICATION_REQUESTS.name, key, b"{}")])
                latencies.append(await _arrival(client, key) - began)
    finally:
        await client.stop()
    return latencies


def _escalations(account: str) -> bytes:
    data = {"status": "open", "priority": "urgent", "escalated": True}
    common = {"specversion": "1.0", "source": "/benchmark", "type": "csm.ticket.changed", "subject": account}
    return msgspec.json.encode(
        [common | {"id": str(uuid4()), "data": data | {"ticket_id": f"t{number}"}} for number in range(3)]
    )


async def crossing_latencies(place: Place, times: int) -> list[float]:
    """Seconds from the POST to its crossing on the topic."""
    client = await _reader(place, HEALTH_CROSSINGS)
    headers = {
        "authorization": f"Bearer {place.key}",
        "content-type": "application/cloudevents-batch+json",
    }
    latencies = []
    try:
        async with httpx.AsyncClient(headers=headers) as http:
            for number in range(times):
                account = f"latency-{number}"
                body = _escalations(account)
                began = time.perf_counter()
                answer = await http.post(f"http://127.0.0.1:{place.ports['ingest']}/v1/events", content=body)
                answer.raise_for_status()
                latencies.append(await _arrival(client, account.encode()) - began)
    finally:
        await client.stop()
    return latencies
