"""Scorer throughput beside consume-and-decode, and POST → crossing beside the broker's own floor, all in one run.

    python -m benchmarks.line [EVENTS, 100000 unless told]

Throughput: the events are on the broker before anyone reads. The limit is a program that only reads and decodes them; then
health-score starts as the real process it is and folds them, with states, journal, crossings and positions in PostgreSQL.
Latency: one POST after the other, each making a new account critical; the clock stops when the crossing arrives on its topic.
The floor is one record produced and consumed on the same broker.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.line.latency import crossing_latencies, floor_latencies
from benchmarks.line.place import Place, running
from benchmarks.line.throughput import consume_and_decode, fill, messages, score

POSTS = 200


def _milliseconds(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    return f"p50 {ordered[len(ordered) // 2] * 1e3:6.1f} ms   p99 {ordered[int(len(ordered) * 0.99)] * 1e3:6.1f} ms"


async def measure(place: Place, events: int) -> None:
    """Measure and print."""
    await fill(place, messages(events))
    limit = await consume_and_decode(place, events)
    with place.service("health_score"):
        scored = await score(place, events)
        print(f"\n{events:,} events of 500 accounts")
        print(f"  consume and decode {limit:10,.0f} events/s   (the limit)")
        print(f"  scorer             {scored:10,.0f} events/s   {scored / limit:.2f} of it")
        with place.service("ingest"):
            floor = await floor_latencies(place, POSTS)
            crossings = await crossing_latencies(place, POSTS)
    print(f"\n{POSTS} accounts made critical, one POST after the other")
    print(f"  produce → consume  {_milliseconds(floor)}   (the floor)")
    print(f"  POST → crossing    {_milliseconds(crossings)}")


def main() -> None:
    """Start the servers, measure, end them."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with (
        tempfile.TemporaryDirectory(prefix="csm-benchmark-", ignore_cleanup_errors=True) as directory,
        running(Path(directory)) as place,
    ):
        asyncio.run(measure(place, events))


if __name__ == "__main__":
    main()
