"""The sender: carries out due messages, a bounded number at once, woken by new ones and otherwise by the clock.

What it sends and where it is kept is its `Deliveries`' business: notifications and the health change feed are sent by one each.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from csm_common.clock import Clock
from csm_common.database.errors import is_transient
from csm_common.poller import Poller
from csm_common.telemetry.logs import get_logger
from notifier.application.ports import Left

log = get_logger(__name__)

_RECORD_AGAIN_S = 0.5
_AT_ONCE = 64
"""Looked at in one transaction: more would keep who waits for their locks waiting."""

WorkT = TypeVar("WorkT", contravariant=True)
JobT = TypeVar("JobT")
DoneT = TypeVar("DoneT")


class Deliveries(Protocol[WorkT, JobT, DoneT]):
    """Messages that become due, are claimed, attempted, and recorded."""

    async def claim(self, work: WorkT, limit: int) -> tuple[Sequence[JobT], Left]:
        """Look at up to `limit` and take those to be sent into our hands; also what is left."""
        ...

    def released(self, jobs: Sequence[JobT]) -> None:
        """Their claim was not committed."""
        ...

    def opened(self) -> bool:
        """Whether, since this was asked last, there is room for some that had to wait for it."""
        ...

    async def attempt(self, job: JobT) -> DoneT:
        """Send, with no transaction open."""
        ...

    async def record(self, work: WorkT, done: Sequence[DoneT]) -> Collection[str]:
        """Write the outcomes down; the ids of those that were still ours."""
        ...

    def tell(self, done: Sequence[DoneT], ours: Collection[str]) -> None:
        """Count and log them, once they last."""
        ...


class Sender(Generic[WorkT, JobT, DoneT]):
    """`wake()` when there is something to send; `run(stop)` until told to stop, then what is in flight is brought to an end."""

    def __init__(
        self,
        deliveries: Deliveries[WorkT, JobT, DoneT],
        open_work: Callable[[], AbstractAsyncContextManager[WorkT]],
        abandon: Callable[[], None],
        clock: Clock,
        *,
        name: str = "sender",
        concurrency: int,
        interval_s: float,
        lease: timedelta,
        grace: timedelta,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_commit` is called when outcomes are committed: it wakes the relay. After `grace` what is still being sent while
        stopping is given up by `abandon`, and tried again after the restart."""
        self._deliveries = deliveries
        self._open_work = open_work
        self._abandon = abandon
        self._clock = clock
        self._concurrency = concurrency
        self._lease = lease
        self._grace = grace
        self._on_commit = on_commit
        self._poller = Poller(name, self._start_due, interval_s=interval_s)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._ended: list[DoneT] = []
        self._wants_room = self._at_limit = False
        self._recording: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to send."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; what is in flight then is finished, or given up after the grace, and recorded."""
        await self._poller.run(stop)
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._grace.total_seconds())
        self._abandon()
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        if self._recording is not None:
            await asyncio.wait([self._recording])

    async def _start_due(self) -> None:
        free = min(self._concurrency - len(self._in_flight), _AT_ONCE)
        self._at_limit = free <= 0
        if self._at_limit:
            return
        jobs: Sequence[JobT] = ()
        try:
            async with self._open_work() as work:
                jobs, left = await self._deliveries.claim(work, free)
        except BaseException:
            self._deliveries.released(jobs)
            raise
        for job in jobs:
            task = asyncio.create_task(self._carry_out(job))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)
        self._wants_room = left != "nothing"
        if left == "more":
            self._poller.wake()
        self._on_commit()  # also of what was settled without an attempt

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if self._at_limit or (self._wants_room and self._deliveries.opened()):
            self._poller.wake()

    async def _carry_out(self, job: JobT) -> None:
        try:
            # No transaction is open here: a receiver may take its time, and locks must not wait for it.
            done = await self._deliveries.attempt(job)
        except Exception:
            log.exception("an attempt broke off; it is made again when its lease runs out")
            return
        self._ended.append(done)  # looked up now: while it was sent another list has taken its place
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self._record_ended())

    async def _record_ended(self) -> None:
        """All that has ended meanwhile, at once: a transaction for each would take longer than many a send."""
        while self._ended:
            done, self._ended = self._ended, []
            try:
                ours = await self._record(done)
            except Exception:
                log.exception("outcomes are lost; their messages are sent again", messages=len(done))
                continue
            self._deliveries.tell(done, ours)
            self._on_commit()
            if self._wants_room and self._deliveries.opened():
                self._poller.wake()

    async def _record(self, done: Sequence[DoneT]) -> Collection[str]:
        """Persist while the lease lasts: a message that is sent but not recorded will be sent again."""
        until = self._clock.now() + self._lease
        while True:
            try:
                async with self._open_work() as work:
                    return await self._deliveries.record(work, done)
            except Exception as error:
                if not is_transient(error) or self._clock.now() >= until:
                    raise
                log.warning("outcomes could not be recorded yet", error=type(error).__name__)
                await asyncio.sleep(_RECORD_AGAIN_S)
