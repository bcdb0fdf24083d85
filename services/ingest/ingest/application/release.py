"""Letting go what still waits although its account is known: what was too much for the transaction that learned it."""

from collections.abc import Callable

from csm_common.clock import Clock
from ingest.application.ports import Store
from ingest.application.settlement import Settlement
from ingest.domain.people import Circle

_PERSONS = 100


class Release:
    """`on_commit` wakes the outbox's relay."""

    def __init__(
        self, settlement: Settlement, store: Store, clock: Clock, on_commit: Callable[[], None]
    ) -> None:
        self._settlement = settlement
        self._store = store
        self._clock = clock
        self._on_commit = on_commit

    async def round(self) -> None:
        """Until nothing waits in vain, one transaction after the other."""
        while await self._some():
            self._on_commit()

    async def _some(self) -> bool:
        async with self._store.begin() as work:
            waiting = await work.rejections.waiting_in_vain(_PERSONS)
            if not waiting:
                return False
            circle = Circle(await work.people.lock(waiting, merging=False))
            known = {name for name in waiting if circle.account_of(name) is not None}
            await self._settlement.release(work, circle, known, self._clock.now())
        return bool(known)
