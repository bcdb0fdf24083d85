"""The scorer on a realistic mix and in its worst case, beside consume-and-decode and beside a peer that does much less.

    python -m benchmarks.scorer [EVENTS of the mix, 200000 unless told [ACCOUNTS of the worst case, 50000 unless told]]

Every program is a process of its own on the same embedded broker and finds the events there before it starts. The scorer does all
it ever does: states, score rows, snapshots, crossings, journal and positions in one transaction. Ratios are to consume-and-decode
of the same events.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from benchmarks.line.place import Place, running
from benchmarks.line.throughput import consume_and_decode, fill, score
from benchmarks.scorer.costs import Costs, costs
from benchmarks.scorer.events import ACCOUNTS, mix, one_each
from benchmarks.scorer.peer import UnavailableError, count_and_threshold
from health_score.settings import HealthSettings


def _told(name: str, rate: float, limit: float, note: str = "") -> None:
    print(f"  {name:24}{rate:10,.0f} events/s   {rate / limit:5.2f}   {note}", flush=True)


async def measure_mix(place: Place, events: int) -> None:
    """A customer's ordinary life."""
    await fill(place, mix(events))
    print(f"\n{events:,} facts of {ACCOUNTS} accounts, four fifths of them uses", flush=True)
    limit = await consume_and_decode(place, events)
    _told("consume and decode", limit, limit, "(the limit)")
    with place.service("health_score"):
        _told("scorer", await score(place, events), limit)
    try:
        rate = await asyncio.to_thread(count_and_threshold, place, events)
        _told("quixstreams", rate, limit, "(a count and one threshold per account)")
    except UnavailableError as reason:
        print(f"  quixstreams cannot be measured: {reason}")


async def measure_singles(place: Place, singles: int) -> None:
    """No two facts of a batch are of one account: the worst case."""
    print(f"\n{singles:,} accounts, one fact each", flush=True)
    with place.service("health_score") as service:
        before = await costs(place, service)
        await fill(place, one_each(singles, 0))
        fresh = await score(place, singles)
        after_one = await costs(place, service)
        await fill(place, one_each(singles, 1))
        known = await score(place, 2 * singles)
        after_two = await costs(place, service)
    limit = await consume_and_decode(place, 2 * singles)
    _told("consume and decode", limit, limit, "(the limit)")
    _told("scorer, new accounts", fresh, limit)
    _told("scorer, known accounts", known, limit)
    _tell_costs(singles, before, after_one, after_two)


def _tell_costs(singles: int, before: Costs, one: Costs, two: Costs) -> None:
    most = HealthSettings().cached_accounts
    cached = min(singles, most)
    print(
        f"\n{cached:,} accounts in memory (CSM_HEALTH__CACHED_ACCOUNTS={most:,} bounds them), journal included"
    )
    for name, now in (("one fact", one), ("two facts", two)):
        memory = (now.memory - before.memory) / cached
        print(
            f"  after {name:10} {before.memory / 1e6:6.0f} → {now.memory / 1e6:6.0f} MB, {memory:7,.0f} bytes an account;"
            f" on disk {now.disk / now.accounts:7,.0f} bytes an account"
        )


def main() -> None:
    """Start the servers, measure, end them."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    singles = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    _in_a_place(partial(measure_mix, events=events))
    _in_a_place(partial(measure_singles, singles=singles))


def _in_a_place(measured: Callable[[Place], Coroutine[None, None, None]]) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="csm-benchmark-", ignore_cleanup_errors=True) as directory,
        running(Path(directory)) as place,
    ):
        asyncio.run(measured(place))


if __name__ == "__main__":
    main()
