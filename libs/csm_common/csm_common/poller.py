"""A loop that does its round when woken, and otherwise at an interval; failures are logged, counted and tried again later."""

import asyncio
from collections.abc import Awaitable, Callable

from csm_common.database.errors import is_transient
from csm_common.errors import FatalError, TransientError
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_LONGEST_PAUSE_S = 30.0


class Poller:
    """`round_` does all that is there to do. It is never cancelled: `stop` is looked at between rounds."""

    def __init__(self, name: str, round_: Callable[[], Awaitable[object]], *, interval_s: float) -> None:
        self._name = name
        self._round = round_
        self._interval_s = interval_s
        self._woken = asyncio.Event()
        self._failures = 0

    def wake(self) -> None:
        """Do a round now, or another one right after the present one."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until `stop` is set."""
        while not stop.is_set():
            self._woken.clear()
            try:
                await self._round()
                self._failures = 0
            except FatalError:
                raise
            except Exception as error:
                self._note(error)
            await self._rest(stop)

    def _note(self, error: Exception) -> None:
        """A bad moment is a line in the log; anything else is a bug and leaves its traceback."""
        self._failures += 1
        metrics.poller_failures.add(1, {"poller": self._name})
        if isinstance(error, TransientError) or is_transient(error):
            log.warning(
                "round failed",
                poller=self._name,
                failures=self._failures,
                error=(str(error) or repr(error)).splitlines()[0],
            )
        else:
            log.exception("round failed", poller=self._name, failures=self._failures)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until woken, stopped or the interval is over; after failures waking does not help, the pause doubles."""
        waiting = {asyncio.create_task(stop.wait())}
        if not self._failures:
            waiting.add(asyncio.create_task(self._woken.wait()))
        pause = min(self._interval_s * 2**self._failures, _LONGEST_PAUSE_S)
        _, pending = await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()
