"""The clock's doors: due runs and calls, woken by commits, by the nearest wake time, or at times; and what else time brings."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from csm_common.clock import Clock
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from playbooks.application.endpoints import Endpoints
from playbooks.application.handlers.calls import Call, Room, claim_calls, make_call
from playbooks.application.handlers.steps import Advanced, Rules, advance_due
from playbooks.application.ports import Transactions
from playbooks.application.task_history import bring_back_due
from playbooks.domain.run import Run

log = get_logger(__name__)

CALLS_AT_ONCE = 50
CALLS_TO_ONE = 10
"""So that an endpoint that hangs holds up no other."""


class RunTicker:
    """`wake()` when a run may be due; `run(stop)` until told to stop. Its workers take a batch a round, each of their own."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        rules: Rules,
        *,
        workers: int = 1,
        limit: int,
        look_every_s: float,
        on_commit: Callable[[], None],
    ) -> None:
        """With two `workers` one decides while PostgreSQL writes for the other. `on_commit` is called after every round that may
        have written to the outbox, or left a call to make."""

        def advance(worker: str) -> Awaitable[Advanced]:
            return advance_due(transactions, clock.now(), rules, worker=worker, limit=limit)

        self._workers = [_Worker(advance, clock, look_every_s, on_commit) for _ in range(workers)]

    def wake(self) -> None:
        """A run may be due."""
        for each in self._workers:
            each.poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Take runs on until `stop` is set."""
        await asyncio.gather(*(each.run(stop) for each in self._workers))


class _Worker:
    """Takes batch after batch, and sets itself an alarm for the next run that is due."""

    def __init__(
        self,
        advance: Callable[[str], Awaitable[Advanced]],
        clock: Clock,
        look_every_s: float,
        on_commit: Callable[[], None],
    ) -> None:
        self.poller = Poller("runs", self._round, interval_s=look_every_s)
        self._advance = advance
        self._clock = clock
        self._look_every_s = look_every_s
        self._on_commit = on_commit
        self._name = str(uuid4())
        self._alarm: asyncio.TimerHandle | None = None

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self.poller.run(stop)
        finally:
            self._set_alarm(None)

    async def _round(self) -> None:
        advanced = await self._advance(self._name)
        if advanced.stale_since is not None:
            log.warning("steps wait: health-score's news is too old", since=advanced.stale_since.isoformat())
        if advanced.runs:
            self._on_commit()
        if advanced.runs or advanced.waits:
            self.poller.wake()  # there may be more, and those that went on may be due again
        self._measure(advanced)
        self._set_alarm(self._seconds_to_next(advanced))

    def _measure(self, advanced: Advanced) -> None:
        now = self._clock.now()
        for wake_at in advanced.waits:
            metrics.run_lateness.record((now - wake_at).total_seconds())
        count_ended(advanced.runs)

    def _seconds_to_next(self, advanced: Advanced) -> float | None:
        if advanced.next_due is None:
            return None
        return (advanced.next_due - self._clock.now()).total_seconds()

    def _set_alarm(self, seconds: float | None) -> None:
        """Wake before the next look, if a run is due before; one that is due by now is in somebody else's hand."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if seconds is not None and 0 < seconds < self._look_every_s:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.poller.wake)


class CallTicker:
    """Makes the calls of webhook steps, many at once but few to one endpoint. `wake()` when there may be one."""

    def __init__(
        self,
        transactions: Transactions,
        endpoints: Endpoints,
        clock: Clock,
        rules: Rules,
        *,
        look_every_s: float,
        on_done: Callable[[], None],
    ) -> None:
        """`on_done` is called when a run has gone on, and may be due."""
        self._transactions = transactions
        self._endpoints = endpoints
        self._clock = clock
        self._rules = rules
        self._on_done = on_done
        self._poller = Poller("calls", self._round, interval_s=look_every_s)
        self._out: dict[asyncio.Task[None], str] = {}

    def wake(self) -> None:
        """A call may be due."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Call until `stop` is set; calls that are out are waited for."""
        await self._poller.run(stop)
        await asyncio.gather(*self._out)

    async def _round(self) -> None:
        free = CALLS_AT_ONCE - len(self._out)
        if free <= 0:
            return
        claimed = await claim_calls(
            self._transactions, self._clock.now(), self._rules, limit=free, room=places(self._out.values())
        )
        count_ended(claimed.others)
        for call in claimed.calls:
            task = asyncio.create_task(self._make(call))
            self._out[task] = call.endpoint
            task.add_done_callback(self._out.pop)
        if claimed.others:
            self._on_done()

    async def _make(self, call: Call) -> None:
        try:
            run = await make_call(self._transactions, self._endpoints, call, self._clock, self._rules)
            if run is not None:
                count_ended([run])
        except Exception as error:  # what came back is lost; the lease runs out, and the call is made again
            log.warning("a call was made, and cannot be written down", run=call.run.id, error=repr(error))
        finally:
            self._on_done()
            self.wake()


def places(taken: Iterable[str]) -> Room:
    """Room at each endpoint beside the calls that are out to it."""
    busy = Counter(taken)

    def room(endpoint: str) -> bool:
        busy[endpoint] += 1
        return busy[endpoint] <= CALLS_TO_ONE

    return room


def count_ended(runs: Sequence[Run]) -> None:
    """For the metrics."""
    for run in runs:
        if run.status != "active":
            metrics.runs_ended.add(1, {"playbook": run.playbook, "outcome": run.status})


class FreshnessMarker:
    """Writes down now and then by when each partition of the snapshots was last read to its end."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        read: Callable[[], Awaitable[Mapping[int, datetime]]],
        *,
        every_s: float,
    ) -> None:
        """`read` tells it of the partitions that this process reads."""
        self._transactions = transactions
        self._clock = clock
        self._read = read
        self._poller = Poller("freshness", self._round, interval_s=every_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Mark until `stop` is set."""
        await self._poller.run(stop)

    async def _round(self) -> None:
        read = await self._read()
        async with self._transactions.begin() as store:
            await store.freshness.mark(read)
            oldest = await store.freshness.oldest()
        if oldest is not None:
            metrics.projection_age.set((self._clock.now() - oldest).total_seconds())


class Prunes(Protocol):
    """Tables of which old rows are dropped."""

    async def prune(self, now: datetime) -> None:
        """Forget what is too old to be asked for."""
        ...


def prune_poller(tables: Prunes, clock: Clock) -> Poller:
    """Keeps the tables from growing without end."""
    return Poller("pruning", lambda: tables.prune(clock.now()), interval_s=3_600.0)


class TaskAlarm:
    """Brings tasks back that were snoozed until now."""

    def __init__(self, transactions: Transactions, clock: Clock, *, every_s: float) -> None:
        self._transactions = transactions
        self._clock = clock
        self._poller = Poller("snoozed", self._round, interval_s=every_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set."""
        await self._poller.run(stop)

    async def _round(self) -> None:
        async with self._transactions.begin() as store:
            await bring_back_due(store, self._clock.now())
