"""Mails and webhooks a second beside a bare client loop, and the latency of calls while a tenth of the endpoints hangs.

    python -m benchmarks.notifier [MESSAGES, 5000 unless told]

The service is a process of its own, with everything on: contact policy, templates in their process, signatures, attempts, facts.
Bare are the client libraries alone, with the same bytes to the same receivers.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.line.place import Place, running
from benchmarks.line.throughput import fill
from benchmarks.notifier.bare import calls_per_s, mails_per_s
from benchmarks.notifier.receivers import receiving
from benchmarks.notifier.requests import calls, contacts, mails
from csm_common.database.engine import create_engine
from csm_common.database.outbox import Message
from csm_common.kafka.producer import Producer

_ENDPOINTS = 100
_HANGING = 10
_CONNECTIONS = 8
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  (of the standard's own example)
_OFFERED_PER_S = 50
_SECONDS = 20
_ROUNDS = 4
_WANTED = 0.5

_SENT = text("SELECT count(*) FROM notifications WHERE status = 'sent'")
_CLEAR = text("TRUNCATE notifications CASCADE")


def environment(smtp_port: int, http_port: int, hanging: int) -> Mapping[str, str]:
    """What the service is told of its receivers: the last so many endpoints hang."""
    url = f"http://127.0.0.1:{http_port}"
    well = _ENDPOINTS - hanging
    endpoints = {
        f"e{number}": {
            "kind": "webhook",
            "url": f"{url}/{'hook' if number < well else 'hang'}/{number}",
            "secrets": [_SECRET],
        }
        for number in range(_ENDPOINTS)
    }
    return {
        "CSM_SMTP__HOST": "127.0.0.1",
        "CSM_SMTP__PORT": str(smtp_port),
        "CSM_SMTP__SENDER": "cs@vendor.example",
        "CSM_SMTP__CONNECTIONS": str(_CONNECTIONS),
        "CSM_NOTIFIER__ENDPOINTS": json.dumps(endpoints),
        "CSM_NOTIFIER__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }


async def measure(place: Place, smtp_port: int, http_port: int, messages: int) -> None:
    """Mails, calls, and calls beside endpoints that hang."""
    engine = create_engine(place.dsns["notifier"], schema="notifier", pool_size=1)
    names = [f"e{number}" for number in range(_ENDPOINTS)]
    url = f"http://127.0.0.1:{http_port}"
    await fill(place, contacts(messages))
    os.environ.update(environment(smtp_port, http_port, 0))
    with place.service("notifier"):
        await _tell(place, engine, "mails", mails(messages), messages)
        mail = await _ask("GET", f"{url}/mail")
        _print(await mails_per_s(smtp_port, mail, messages, _CONNECTIONS), "mails, bare client loop")
        await _tell(place, engine, "calls", calls(messages, names), messages)
        _print(await calls_per_s(url, _ENDPOINTS, messages, 64), "calls, bare client loop")
    print(f"\n{_OFFERED_PER_S} calls/s to {_ENDPOINTS} endpoints, {_ROUNDS} times {_SECONDS} s by turns")
    found: dict[int, list[float]] = {0: [], _HANGING: []}
    for hanging in [0, _HANGING] * _ROUNDS:
        os.environ.update(environment(smtp_port, http_port, hanging))
        with place.service("notifier"):
            await _tell(place, engine, f"calls before, {hanging} hang", calls(500, names[:-_HANGING]), 500)
            latencies = await _latency(place, url, names)
        found[hanging].append(_quantile(latencies, 0.99))
        _print_latency(latencies, f"{hanging} endpoints hang")
    well, beside = (statistics.median(each) for each in found.values())
    print(f"  p99 of the others changes by {beside / well - 1:+.0%}   (medians; wanted: less than 20 %)")
    await engine.dispose()


async def _tell(
    place: Place, engine: AsyncEngine, what: str, requests: Sequence[Message], messages: int
) -> None:
    """From the first twentieth that is recorded as sent to the last."""
    async with engine.begin() as tx:
        await tx.execute(_CLEAR)
    await fill(place, requests)
    first, began = await _until(engine, messages // 20)  # what begins is slow: connections, children, caches
    last, ended = await _until(engine, messages)
    _print((last - first) / (ended - began), f"{what}, the notifier (wanted: {_WANTED} of the bare loop)")


async def _until(engine: AsyncEngine, wanted: int) -> tuple[int, float]:
    while True:
        async with engine.begin() as tx:
            found: int = await tx.scalar(_SENT) or 0
        if found >= wanted:
            return found, time.perf_counter()
        await asyncio.sleep(0.2)


async def _latency(place: Place, url: str, names: Sequence[str]) -> list[float]:
    """Of the calls that arrived, by endpoints that do not hang: seconds from the request's offer to its arrival."""
    await _ask("POST", f"{url}/forget")
    offered: dict[str, float] = {}
    async with Producer(place.kafka) as producer:
        began = time.perf_counter()
        for tick in range(_SECONDS * 10):
            await asyncio.sleep(max(0.0, began + tick / 10 - time.perf_counter()))
            step = _OFFERED_PER_S // 10
            batch = calls(step, [names[(tick * step + each) % _ENDPOINTS] for each in range(step)])
            now = time.time()
            offered |= {json.loads(each.value or b"")["id"]: now for each in batch}
            await producer.send(batch)
    await asyncio.sleep(2)
    arrivals: dict[str, float] = json.loads(await _ask("GET", f"{url}/arrivals"))
    return sorted(at - offered[id_] for id_, at in arrivals.items() if id_ in offered)


async def _ask(method: str, url: str) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.request(method, url)).content


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _print(rate: float, what: str) -> None:
    print(f"  {rate:10,.0f}/s  {what}", flush=True)


def _print_latency(ordered: Sequence[float], what: str) -> None:
    p50, p99 = _quantile(ordered, 0.5) * 1000, _quantile(ordered, 0.99) * 1000
    print(f"  {what:22} {len(ordered):6,} arrived, p50 {p50:6.1f} ms, p99 {p99:6.1f} ms", flush=True)


def main() -> None:
    """Start the servers, measure, end them."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with (
        tempfile.TemporaryDirectory(prefix="csm-benchmark-", ignore_cleanup_errors=True) as home,
        receiving() as (smtp_port, http_port),
        running(Path(home)) as place,
    ):
        print(f"\n{messages:,} messages of each kind", flush=True)
        asyncio.run(measure(place, smtp_port, http_port, messages))


if __name__ == "__main__":
    main()
