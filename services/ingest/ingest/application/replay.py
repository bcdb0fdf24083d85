"""Trying rejections again: read with today's mappings and rules, and on the log once the transaction that says so lasts."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from csm_common.clock import Clock
from ingest.application.incoming import Received
from ingest.application.ports import Rejection, Store, Work
from ingest.application.replays import ReplayReport, Selection
from ingest.application.settlement import CONFLICT, Settled, Settlement
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
            after, left = max(row.id for row in rows), left - len(rows)
            counts.update(each.outcome.status for each in settled)
            reasons.update(each.outcome.code for each in settled if each.outcome.code)
        taken = counts["accepted"] + counts["duplicate"]
        return ReplayReport(taken, counts["held"], counts["rejected"], dict(reasons))

    async def _chunk(
        self, selection: Selection, after: str, limit: int
    ) -> tuple[Sequence[Rejection], list[Settled]]:
        now = self._clock.now()
        async with self._store.begin() as work:
            # Whoever takes messages in locks persons first and rejections later; here it is the other way round.
            await work.people.lock((), merging=True)
            rows = await work.rejections.claim(selection, after, now, limit)
            rows = sorted(rows, key=_is_conflict)  # what had the id first is judged first
            messages = [self._understanding.read(received_of(each), now) for each in rows]
            settled = self._settlement.plain(messages, now)
            if settled is None:
                tried = {each.id for each in rows}
                settled = await self._settlement.attributed(work, messages, now, merging=True, tried=tried)
            await self._write(work, rows, settled, now)
        self._on_commit()
        return rows, settled

    async def _write(
        self, work: Work, rows: Sequence[Rejection], settled: Sequence[Settled], now: datetime
    ) -> None:
        refused, taken = {}, {}
        for row, each in zip(rows, settled, strict=True):
            if each.outcome.status == "rejected":
                refused[row.id] = (each.outcome.code or "", each.outcome.message or "")
            elif each.rejection is None or each.rejection.id != row.id:  # else it waits on as it is
                taken[row.id] = each
        await self._settlement.keep(work, taken.values())
        await work.rejections.refused_again(refused)
        await work.rejections.replayed(taken, now)
        await work.outbox.add([fact.message for each in taken.values() for fact in each.facts])


def _is_conflict(row: Rejection) -> bool:
    return row.code == CONFLICT


def received_of(rejection: Rejection) -> Received:
    """The message as it was received."""
    return Received(
        format=rejection.format,
        source=rejection.source,
        body=rejection.body,
        at=rejection.received_at,
        context=rejection.context,
    )
