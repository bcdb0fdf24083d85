"""Starts a second, and the lateness of waits that end at once while many more go on waiting.

    python -m benchmarks.playbooks [RUNS to start, 100000 unless told [WAITS that end at once, 10000 unless told]]

The service is a process of its own and finds the crossings on the broker before it starts. The limit of starts is a program that
only reads and decodes the same crossings; that of waits is the bare SQL of the same rows, in batches of the same size.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.line.place import Place, running
from benchmarks.line.throughput import consume_and_decode, fill
from benchmarks.playbooks.crossings import PLAYBOOK, crossings
from csm_common.contracts.topics import HEALTH_CROSSINGS
from csm_common.database.engine import create_engine

_BATCH = 500
_LEAD_S = 5.0

# A wait that a run has begun ends when its row says so: this is what stands in for thirty days of waiting.
_END_AT_ONCE = text("""
UPDATE runs SET wake_at = now() + make_interval(secs => :lead), due_at = now() + make_interval(secs => :lead)
WHERE id IN (SELECT id FROM runs WHERE awaits = 'time' AND position = 0 ORDER BY id LIMIT :waits)
RETURNING extract(epoch FROM wake_at)::float8
""")

_ENDED = text("SELECT count(*) FROM run_steps WHERE step = 'pause'")


async def measure(place: Place, runs: int, waits: int) -> None:
    """First the starts, then the waits."""
    await fill(place, crossings(runs))
    limit = await consume_and_decode(place, runs, HEALTH_CROSSINGS)
    print(f"\n{runs:,} crossings, each of an account of its own", flush=True)
    print(f"  {'consume and decode':24}{limit:10,.0f} crossings/s   (the limit)", flush=True)
    engine = create_engine(place.dsns["playbooks"], schema="playbooks", pool_size=1)
    with place.service("playbooks"):
        rate = await _starts(engine, runs)
        print(
            f"  {'runs started':24}{rate:10,.0f} runs/s        {rate / limit:5.2f}   (wanted: 1,000/s)",
            flush=True,
        )
        await _until(engine, "SELECT count(*) FROM runs WHERE awaits = 'time'", runs)
        await _waits(place, engine, runs, waits)
    await engine.dispose()


async def _starts(engine: AsyncEngine, runs: int) -> float:
    """From the first commit seen to the last."""
    counting = "SELECT count(*) FROM runs"
    await _until(engine, counting, 1)
    first = await _count(engine, counting)
    began = time.perf_counter()
    await _until(engine, counting, runs)
    return (runs - first) / (time.perf_counter() - began)


async def _waits(place: Place, engine: AsyncEngine, runs: int, waits: int) -> None:
    print(f"\n{waits:,} waits end at once, {runs - waits:,} go on", flush=True)
    bare = await _bare(engine, waits)
    print(f"  {'bare SQL of the rows':24}{bare:10.2f} s for all   (the limit)", flush=True)
    before = await _lateness(place)
    async with engine.begin() as tx:
        ends = next(iter(await tx.scalars(_END_AT_ONCE, {"lead": _LEAD_S, "waits": waits})))
    await _until(engine, str(_ENDED), waits)
    took = time.time() - ends
    after = await _lateness(place)
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in after}
    print(f"  {'last of them ended after':24}{took:10.2f} s           {took / bare:5.2f}   of the limit")
    for share in (0.5, 0.99):
        print(
            f"  lateness p{share * 100:g}: at most {_quantile(counts, share):g} s"
            + "   (wanted: below 1 s)" * (share > 0.9)
        )


_BARE = text("""
WITH ended AS (
    UPDATE runs SET position = 1, step = 'tell', awaits = NULL, wake_at = NULL, due_at = now()
    WHERE id = ANY(CAST(:ids AS text[])) RETURNING id)
INSERT INTO run_steps (run_id, position, step, kind, at, outcome) SELECT id, 0, 'bare', 'wait', now(), 'waited' FROM ended
""")


async def _bare(engine: AsyncEngine, waits: int) -> float:
    """The same rows changed and written by SQL alone, taken back at the end."""
    async with engine.connect() as connection:
        ids = list(await connection.scalars(text("SELECT id FROM runs LIMIT :waits"), {"waits": waits}))
        began = time.perf_counter()
        for at in range(0, waits, _BATCH):
            await connection.execute(_BARE, {"ids": ids[at : at + _BATCH]})
        took = time.perf_counter() - began
        await connection.rollback()
    return took


async def _lateness(place: Place) -> dict[float, float]:
    """Upper bound → how many waits ended no later than that."""
    async with httpx.AsyncClient() as http:
        told = (await http.get(f"http://127.0.0.1:{place.ports['playbooks']}/metrics")).text
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(told)
        if "run_lateness" in family.name
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }


def _quantile(counts: dict[float, float], share: float) -> float:
    whole = max(counts.values())
    return min(bound for bound, count in counts.items() if count >= share * whole)


async def _until(engine: AsyncEngine, counting: str, wanted: int) -> None:
    while True:
        if await _count(engine, counting) >= wanted:
            return
        await asyncio.sleep(0.02)


async def _count(engine: AsyncEngine, counting: str) -> int:
    async with engine.begin() as tx:
        found: int = await tx.scalar(text(counting))
    return found


def main() -> None:
    """Start the servers, measure, end them."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    waits = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory(prefix="csm-benchmark-", ignore_cleanup_errors=True) as home:
        definitions = Path(home) / "definitions"
        definitions.mkdir()
        (definitions / "benchmark.yaml").write_text(PLAYBOOK, encoding="utf-8")
        os.environ["CSM_PLAYBOOKS__DEFINITIONS"] = str(definitions)
        with running(Path(home)) as place:
            asyncio.run(measure(place, runs, waits))


if __name__ == "__main__":
    main()
