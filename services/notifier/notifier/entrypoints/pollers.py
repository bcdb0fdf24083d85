"""The sender: carries out due notifications, a bounded number at once, woken by new requests and otherwise by the clock."""

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta

from csm_common.clock import Clock
from csm_common.database.errors import is_transient
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from notifier.application.handlers.delivery import Attempted, Delivery, Job
from notifier.application.ports import Channel, OpenWork
from notifier.domain.delivery import Outcome

log = get_logger(__name__)

_RECORD_AGAIN_S = 0.5


class Sender:
    """`wake()` when there is something to send; `run(stop)` until told to stop, then what is in flight is brought to an end."""

    def __init__(
        self,
        delivery: Delivery,
        open_work: OpenWork,
        channels: Collection[Channel],
        clock: Clock,
        *,
        concurrency: int,
        interval_s: float,
        grace: timedelta,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_commit` is called when an outcome is committed: it wakes the relay. After `grace` what is still being sent while
        stopping is given up, and tried again after the restart."""
        self._delivery = delivery
        self._open_work = open_work
        self._channels = channels
        self._clock = clock
        self._concurrency = concurrency
        self._grace = grace
        self._on_commit = on_commit
        self._poller = Poller("sender", self._start_due, interval_s=interval_s)
        self._in_flight: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be something to send."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; what is in flight then is finished, or given up after the grace, and recorded."""
        await self._poller.run(stop)
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._grace.total_seconds())
        for channel in self._channels:
            channel.abandon()
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _start_due(self) -> None:
        free = self._concurrency - len(self._in_flight)
        if free == 0:
            return
        async with self._open_work() as work:
            jobs = await self._delivery.claim(work, free)
        for job in jobs:
            task = asyncio.create_task(self._carry_out(job))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._poller.wake()

    async def _carry_out(self, job: Job) -> None:
        names = {"notification": job.claimed.notification.id, "attempt": job.claimed.attempt}
        try:
            if job.claimed.interrupted:
                _count(job, "unknown")
                log.warning("the attempt before never told how it ended; sending again", **names)
            # No transaction is open here: a mail server may take its time, and locks must not wait for it.
            attempted = await self._delivery.attempt(job)
            if await self._record(attempted):
                _tell(attempted)
            else:
                log.warning("another sender has taken over; this attempt is not recorded", **names)
        except Exception:
            log.exception("an attempt broke off; it is made again when its lease runs out", **names)

    async def _record(self, attempted: Attempted) -> bool:
        """Persist while the lease lasts: a message that is sent but not recorded will be sent again."""
        while True:
            try:
                async with self._open_work() as work:
                    ours = await self._delivery.record(work, attempted)
                break
            except Exception as error:
                if not is_transient(error) or self._clock.now() >= attempted.job.claimed.lease_until:
                    raise
                log.warning("an outcome could not be recorded yet", error=type(error).__name__)
                await asyncio.sleep(_RECORD_AGAIN_S)
        self._on_commit()
        return ours


def _tell(attempted: Attempted) -> None:
    notification, verdict = attempted.job.claimed.notification, attempted.verdict
    _count(attempted.job, verdict.outcome)
    log.info(
        "attempt recorded",
        notification=notification.id,
        account=notification.account_id,
        attempt=attempted.job.claimed.attempt,
        status=verdict.status.value,
        outcome=verdict.outcome,
        code=verdict.code,
    )


def _count(job: Job, outcome: Outcome) -> None:
    metrics.notifications_sent.add(1, {"channel": job.claimed.notification.channel, "outcome": outcome})
