"""The time each send has, and the way to end all of them at once when the service stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class AbandonedError(Exception):
    """The service stops and waits no longer."""


class Deadlines:
    """Those of the sends in flight."""

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()
        self._ended: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """TimeoutError once the block has lasted this long, AbandonedError when all are ended."""
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                self._open.add(deadline)
                yield
        except TimeoutError as error:
            if deadline in self._ended:
                raise AbandonedError from error
            raise
        finally:
            self._open.discard(deadline)
            self._ended.discard(deadline)

    def end(self) -> None:
        """Let the time of every block run out now."""
        for each in self._open:
            each.reschedule(asyncio.get_running_loop().time())
        self._ended |= self._open
