"""Load on ingest over Apache Kafka; the broker stops answering for a while, and comes back.

    python -m benchmarks.outage [SECONDS without the broker, 300 unless told]

Prints the memory of ingest every few seconds, and at the end how many events were answered 202 and how many of these are not
on the log, which has to be none. Memory before the outage is the limit that it is held against.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

import httpx
import psutil
from tests.support.apache_kafka.server import ApacheKafka

from benchmarks.ingest.events import PLACE, bodies
from benchmarks.ingest.servers import free_port, ingest, make_key
from benchmarks.outage.log import ids_on
from csm_cli.stack.home import Home
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.kafka.admin import ensure_topics
from csm_common.settings import KafkaSettings

CONNECTIONS = 64
EVENTS_EACH = 100
WARM_S = 20.0
EVERY_S = 10.0


class Load:
    """Connections that each send the next batch as soon as the last is answered."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.answers: Counter[int] = Counter()
        self.accepted: set[bytes] = set()
        self.longest_s = 0.0
        self._client = client
        self._numbers = count(1)
        self._body = bodies(EVENTS_EACH)[0]

    async def connection(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            number = b"%016x" % next(self._numbers)
            began = time.monotonic()
            body = self._body.replace(PLACE.encode(), number)
            status = (await self._client.post("/v1/events", content=body)).status_code
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            self.answers[status] += 1
            if status == 202:
                self.accepted.add(number)
            else:
                await asyncio.sleep(0.1)


async def measure(away_s: float, port: int, key: str, pid: int, broker: psutil.Process) -> Load:
    """Load before, during and after the outage."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    limits = httpx.Limits(max_connections=CONNECTIONS)
    stop = asyncio.Event()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, limits=limits, timeout=30
    ) as client:
        load = Load(client)
        senders = [asyncio.create_task(load.connection(stop)) for _ in range(CONNECTIONS)]
        await _watch("before", WARM_S, pid, load)
        broker.send_signal(signal.SIGSTOP)
        await _watch("away", away_s, pid, load)
        broker.send_signal(signal.SIGCONT)
        await _watch("after", WARM_S, pid, load)
        stop.set()
        await asyncio.gather(*senders)
    return load


async def _watch(phase: str, seconds: float, pid: int, load: Load) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(EVERY_S, left))
        memory = psutil.Process(pid).memory_info().rss / 1e6
        told = ", ".join(f"{number} answered {status}" for status, number in sorted(load.answers.items()))
        print(f"  {phase:6} {memory:7.1f} MB   {told}; the longest took {load.longest_s:.1f} s", flush=True)
        load.answers.clear()
        load.longest_s = 0.0


def main(away_s: float) -> None:
    """Start everything, measure, count."""
    with (
        tempfile.TemporaryDirectory(prefix="csm-outage-", ignore_cleanup_errors=True) as directory,
        EmbeddedPostgres(Path(directory), free_port()) as postgres,
    ):
        place = Path(directory) / "kafka"
        place.mkdir()
        kafka = ApacheKafka(place)
        with kafka:
            settings = KafkaSettings(bootstrap=kafka.bootstrap)
            key = asyncio.run(make_key(postgres))
            asyncio.run(ensure_topics(settings))
            port = free_port()
            with ingest(Home(Path(directory)), port, kafka.bootstrap, postgres) as server:
                assert server.child.pid is not None
                assert kafka.child.pid is not None
                broker = psutil.Process(kafka.child.pid)
                load = asyncio.run(measure(away_s, port, key, server.child.pid, broker))
            on_log = ids_on(settings, CUSTOMER_EVENTS.name)
    promised = {
        f"0f1e2d3c-{number.decode()}-{place:06}" for number in load.accepted for place in range(EVENTS_EACH)
    }
    print(f"\n{len(promised):,} events answered 202, {len(promised - on_log):,} of them not on the log")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0)
