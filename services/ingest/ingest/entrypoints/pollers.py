"""Loops beside the door: what it noted of sources is written down every few seconds, and forgotten when it is old; and
operators are shown what is open."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from csm_common.clock import Clock
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from ingest.application.rejection_views import RejectionReads
from ingest.application.sources import SourceMinute, SourceRecords, SourceTally

log = get_logger(__name__)

FLUSH_EVERY_S = 5.0
PRUNE_EVERY_S = 3_600.0
SHOW_EVERY_S = 60.0


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
        for outcome, messages in outcomes(minutes).items():
            metrics.messages_settled.add(messages, {"outcome": outcome})


def outcomes(minutes: Sequence[SourceMinute]) -> dict[str, int]:
    """How many messages became what, over all sources: a label for each source would have no bound."""
    return {
        "accepted": sum(each.accepted for each in minutes),
        "duplicate": sum(each.duplicates for each in minutes),
        "held": sum(each.held for each in minutes),
        "rejected": sum(each.rejected for each in minutes),
    }


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


class Gauge(Protocol):
    """A figure with labels that goes up and down."""

    def set(self, amount: int, attributes: Mapping[str, str]) -> None:
        """This is the figure now."""
        ...


def rejections_poller(
    rejections: RejectionReads, clock: Clock, gauge: Gauge = metrics.rejections_open
) -> Poller:
    """Shows how many rejections are open, by code; a code that has none any more is shown as 0."""
    known: set[str] = set()

    async def show() -> None:
        open_now: Counter[str] = Counter()
        for each in await rejections.counts(clock.now()):
            open_now[each.code] += each.rejections
        known.update(open_now)
        for code in known:
            gauge.set(open_now[code], {"code": code})

    return Poller("rejections", show, interval_s=SHOW_EVERY_S)
