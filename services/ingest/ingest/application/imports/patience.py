"""Trying again while the world is at fault, up to a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from csm_common.errors import TransientError

T = TypeVar("T")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0


class Patience:
    """Pauses double up to five seconds, and are no shorter than the error asks for."""

    def __init__(
        self,
        total_s: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """After `total_s` without success the last error is raised."""
        self._total_s = total_s
        self._sleep = sleep
        self._monotonic = monotonic

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` gives, once it does not raise TransientError any more."""
        deadline = self._monotonic() + self._total_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await attempt()
            except TransientError as error:
                wait = max(pause, error.retry_after)
                if self._monotonic() + wait > deadline:
                    raise
            await self._sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
