"""Trying rejections again: read with today's mappings and rules, and on the log once the transaction that says so lasts."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from csm_common.clock import Clock
from ingest.application.incoming import Received
from ingest.application.ports import Rejection, Store, Work
from ingest.application.replays import ReplayReport, Selection
from ingest.application.settlement import MergingError, Settled, Settlement
from ingest.application.understanding import Understanding

_CHUNK = 200
_FIRST = "00000000-0000-0000-0000-000000000000"


class Replay:
    """Implements Replays."""

    def __init__(
        self,
        understanding: Understanding,
        settlement: Settlement,
        store: Store,
        clock: Clock,
        on_commit: Callable[[], None],
    ) -> None:
        self._understanding = understanding
        self._settlement = settlement
        self._store = store
        self._clock = clock
        self._on_commit = on_commit

    async def run(self, selection: Selection, limit: int) -> ReplayReport:
        """Try at most `limit` of the selected rejections again. TransientError when nothing can be taken now."""
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        after, left = _FIRST, limit
        while left > 0:
            rows, settled = await self._chunk(selection, after, min(left, _CHUNK))
            if not rows:
                break
            after, left = rows[-1].id, left - len(rows)
            counts.update(each.outcome.status for each in settled)
            reasons.update(each.outcome.code for each in settled if each.outcome.code)
        taken = counts["accepted"] + counts["duplicate"]
        return ReplayReport(taken, counts["held"], counts["rejected"], dict(reasons))

    async def _chunk(
        self, selection: Selection, after: str, limit: int
    ) -> tuple[Sequence[Rejection], list[Settled]]:
        try:
            found = await self._attempt(selection, after, limit, merging=False)
        except MergingError:
            found = await self._attempt(selection, after, limit, merging=True)
        self._on_commit()
        return found

    async def _attempt(
        self, selection: Selection, after: str, limit: int, *, merging: bool
    ) -> tuple[Sequence[Rejection], list[Settled]]:
        now = self._clock.now()
        async with self._store.begin() as work:
            rows = await work.rejections.claim(selection, after, now, limit)
            messages = [self._understanding.read(received_of(each), now) for each in rows]
            settled = self._settlement.plain(messages, now)
            if settled is None:
                settled = await self._settlement.attributed(work, messages, now, merging=merging)
            await self._write(work, rows, settled, now)
        return rows, settled

    async def _write(
        self, work: Work, rows: Sequence[Rejection], settled: Sequence[Settled], now: datetime
    ) -> None:
        pairs = list(zip(rows, settled, strict=True))
        refused = {
            row.id: (each.outcome.code or "", each.outcome.message or "")
            for row, each in pairs
            if each.outcome.status == "rejected"
        }
        # What waits for its account waits in a row of its own, unless it is the very one that was tried.
        await self._settlement.keep(work, [each for each in settled if each.outcome.status != "rejected"])
        await work.rejections.refused_again(refused)
        await work.rejections.replayed(
            [row.id for row, _ in pairs if row.id not in refused and row.person is None], now
        )
        await work.outbox.add([fact.message for each in settled for fact in each.facts])


def received_of(rejection: Rejection) -> Received:
    """The message as it was received."""
    return Received(
        format=rejection.format,
        source=rejection.source,
        body=rejection.body,
        at=rejection.received_at,
        context=rejection.context,
    )
