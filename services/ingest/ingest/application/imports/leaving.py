"""The end of the process, told to imports in time: they may take hours, and a service that is restarted has seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from csm_common.errors import TransientError


class Leaving:
    """A loop that waits for the stop, and then ends every wait for a sender."""

    def __init__(self) -> None:
        self._begun = False
        self._waits: set[asyncio.Timeout] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """From `stop` on nothing is waited for any more."""
        await stop.wait()
        self._begun = True
        for each in self._waits:
            each.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def waiting(self, seconds: float) -> AsyncIterator[None]:
        """What is done in the block may take so long, else TimeoutError; TransientError when the process is about to end."""
        self._check()
        try:
            async with asyncio.timeout(seconds) as wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            self._check()
            raise

    def _check(self) -> None:
        if self._begun:
            raise TransientError(
                "The service is being restarted. Send the same file again: nothing counts twice.",
                code="restarting",
            )
