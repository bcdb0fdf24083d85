"""The clock's door: takes due runs on, woken by the consumer's commits, by the nearest wake time, or now and then."""

import asyncio
from collections.abc import Callable

from csm_common.clock import Clock
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from playbooks.application.handlers.steps import Advanced, advance_due
from playbooks.application.ports import Transactions
from playbooks.settings import PlaybookSettings


class RunTicker:
    """`wake()` when a run may be due; `run(stop)` until told to stop, one batch a round."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        settings: PlaybookSettings,
        on_commit: Callable[[], None],
    ) -> None:
        """`on_commit` is called after every round that may have written to the outbox."""
        self._transactions = transactions
        self._clock = clock
        self._settings = settings
        self._on_commit = on_commit
        self._poller = Poller("runs", self._round, interval_s=settings.look_every_s)
        self._alarm: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """A run may be due."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Take runs on until `stop` is set."""
        try:
            await self._poller.run(stop)
        finally:
            self._set_alarm(None)

    async def _round(self) -> None:
        advanced = await advance_due(
            self._transactions,
            self._clock.now(),
            limit=self._settings.step_batch,
            retry_after_s=self._settings.step_retry_s,
        )
        if advanced.runs:
            self._on_commit()
            self.wake()  # there may be more, and those that went on may be due again
        for run in advanced.runs:
            if run.status != "active":
                metrics.runs_ended.add(1, {"playbook": run.playbook, "outcome": run.status})
        self._set_alarm(self._seconds_to_next(advanced))

    def _seconds_to_next(self, advanced: Advanced) -> float | None:
        if advanced.next_due is None:
            return None
        return (advanced.next_due - self._clock.now()).total_seconds()

    def _set_alarm(self, seconds: float | None) -> None:
        """Wake before the next look, if a run is due before; one that is due by now is in somebody else's hand."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if seconds is not None and 0 < seconds < self._settings.look_every_s:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.wake)
