"""Loops beside the door: what it noted of sources is written down every few seconds, and forgotten when it is old."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from csm_common.clock import Clock
from csm_common.poller import Poller
from csm_common.telemetry.logs import get_logger
from ingest.application.sources import SourceRecords, SourceTally

log = get_logger(__name__)

FLUSH_EVERY_S = 5.0
PRUNE_EVERY_S = 3_600.0


class SourceFlush:
    """Writes the tally down every few seconds, and once more at the end; so stop it after the door."""

    def __init__(
        self, tally: SourceTally, records: SourceRecords, *, interval_s: float = FLUSH_EVERY_S
    ) -> None:
        self._tally = tally
        self._records = records
        self._poller = Poller("sources", self.round, interval_s=interval_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, and what is there then."""
        await self._poller.run(stop)
        try:
            await self.round()
        except Exception as error:
            log.warning("the last counts of sources are lost", error=repr(error))

    async def round(self) -> None:
        """Write what was noted; what cannot be written is kept for the next round."""
        minutes, violations = self._tally.take()
        if not minutes and not violations:
            return
        try:
            await self._records.add(minutes, violations)
        except BaseException:
            self._tally.put_back(minutes, violations)
            raise


class Prunes(Protocol):
    """Tables of which old rows are dropped."""

    async def prune(self, now: datetime) -> None:
        """Forget what is too old to be asked for."""
        ...


def prune_poller(tables: Sequence[Prunes], clock: Clock) -> Poller:
    """Keeps the tables from growing without end."""

    async def prune() -> None:
        for each in tables:
            await each.prune(clock.now())

    return Poller("pruning", prune, interval_s=PRUNE_EVERY_S)
