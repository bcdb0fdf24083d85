"""Readiness without waiting: asks a server now and then whether it answers, and remembers what it said."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from csm_common.errors import TransientError
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_RETRY_S = 1.0


class Watch:
    """A loop that calls `ask` every `every_s` seconds; while it fails, or hangs, `problem` tells."""

    def __init__(
        self,
        server: str,
        ask: Callable[[], Awaitable[object]],
        *,
        every_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._ask = ask
        self._every_s = every_s
        self._clock = clock
        self._answered_at = clock()
        self._failure: str | None = f"{server} has not answered yet."
        self.answered = asyncio.Event()

    async def problem(self) -> str | None:
        """None when the last answer was good and is not old, else one sentence."""
        silent = self._clock() - self._answered_at
        if self._failure is None and silent > 3 * self._every_s:
            return f"{self._server} has not answered for {silent:.0f} s."
        return self._failure

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until `stop` is set; an answer that is still awaited then is given up."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            asking = asyncio.create_task(self._look())
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            pause = self._every_s if self._failure is None else min(_RETRY_S, self._every_s)
            await asyncio.wait({stopping}, timeout=pause)

    async def _look(self) -> None:
        try:
            await self._ask()
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            log.warning("a server does not answer", server=self._server, reason=reason)
            self._failure = f"{self._server} does not answer: {reason}"
            return
        if self._failure is not None:
            log.info("a server answers", server=self._server)
        self._failure, self._answered_at = None, self._clock()
        self.answered.set()


Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


def after(ready: asyncio.Event, begin: Callable[[], Run]) -> Run:
    """A loop that begins once `ready` is set, and anew where its server was away just then."""

    async def wait_and_run(stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        while not stop.is_set():
            try:
                await begin()(stop)
                break
            except TransientError as error:
                log.warning("not begun", reason=error.message)
                await asyncio.wait({stopping}, timeout=_RETRY_S)

    return wait_and_run
