"""One import from its first byte to its last: sent on in batches while it arrives, each awaited until it is durable."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from csm_common.clock import Clock
from csm_common.errors import InvalidError, TooLargeError
from ingest.application.budget import Hold
from ingest.application.imports.backfill import Accounts
from ingest.application.imports.file import Bad, ImportFile, Ready
from ingest.application.imports.job import ImportJob, ImportOrder
from ingest.application.imports.limits import ImportLimits
from ingest.application.imports.parking import LineParking
from ingest.application.imports.patience import Patience
from ingest.application.imports.ports import EventResult, Jobs, Receipt, Taker

ALL_REJECTED = "all_rejected"
_REFUSED = ("rejected", "parked")
_HEARTBEAT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Nothing:
    """The receipt of a batch of which nothing was taken."""

    results: Sequence[EventResult]
    accepted: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every import works with."""

    taker: Taker
    jobs: Jobs
    parking: LineParking
    clock: Clock
    limits: ImportLimits
    patience: Patience


class Run:
    """One import. `job` tells what is durable, and is saved after every batch."""

    def __init__(self, around: Surroundings, order: ImportOrder, job: ImportJob, hold: Hold) -> None:
        self._around = around
        self._order = order
        self._job = job
        self._hold = hold
        self._held = 0
        self._file = ImportFile(order, max_bytes=around.limits.max_bytes)
        self._accounts = Accounts()
        self._ready: list[Ready] = []
        self._bad: list[Bad] = []
        self._size = 0

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Take all of it. TransientError when the brokers or the database stay away, PermanentError when the file is at fault."""
        self._hold.grow(4 * self._around.limits.batch_bytes)  # lines, events, and what is being inflated
        async for chunk in chunks:
            await self._add(self._file.feed(chunk))
            if self._around.clock.now() - self._job.updated_at > _HEARTBEAT:
                await self._save()
        await self._add(self._file.finish())
        await self._settle()
        if self._order.backfill:
            await self._end_backfill()

    async def _add(self, items: Iterator[Ready | Bad]) -> None:
        limits = self._around.limits
        for each in items:
            if isinstance(each, Ready):
                self._ready.append(each)
                self._size += len(each.body)
            else:
                self._bad.append(each)
                self._size += len(each.record.body)
            if len(self._ready) + len(self._bad) >= limits.batch_lines or self._size >= limits.batch_bytes:
                await self._settle()

    async def _settle(self) -> None:
        """What was read so far is durable, or parked, behind this."""
        ready, bad, self._ready, self._bad, self._size = self._ready, self._bad, [], [], 0
        self._job.format = self._file.format
        await self._send(ready)
        await self._park(bad)
        await self._around.patience.until_done(self._remember)
        self._job.lines, self._job.bytes = self._file.lines, self._file.size
        await self._save()

    async def _park(self, bad: Sequence[Bad]) -> None:
        around, now = self._around, self._around.clock.now()
        await around.patience.until_done(
            lambda: around.parking.park(self._order, self._file.format, bad, now)
        )
        for each in bad:
            self._job.reject(each.rejected.code)

    async def _send(self, ready: Sequence[Ready]) -> None:
        if not ready:
            return
        receipt = await self._delivered(
            [each.body for each in ready], [self._context(each.line) for each in ready]
        )
        refused = {each.index: each for each in receipt.results if each.status in _REFUSED}
        self._job.accepted += receipt.accepted
        self._job.duplicates += receipt.duplicates
        for each in refused.values():
            self._job.reject(each.code or "rejected")
        if self._order.backfill:
            for index, (_, event, _) in enumerate(ready):
                if index not in refused:
                    self._accounts.saw(event)

    def _context(self, line: int) -> dict[str, str]:
        return {"import": self._order.id, "line": str(line)}

    async def _delivered(self, events: Sequence[bytes], contexts: Sequence[Mapping[str, str]]) -> Receipt:
        async def deliver() -> Receipt:
            try:
                return await self._around.taker.batch(events, contexts)
            except InvalidError as error:
                if error.code != ALL_REJECTED:
                    raise
                return Nothing(error.extra["results"])

        return await self._around.patience.until_done(deliver)

    async def _remember(self) -> None:
        """Account for what has to be known of the lines so far until the end of the file."""
        size = self._file.memory + self._accounts.size
        if size > self._around.limits.memory_bytes:
            raise TooLargeError(
                "The file has too many lines without an id, or too many accounts in one backfill, to be imported at once."
                " Give every line an id, or send it in several parts; what was taken stays."
            )
        if size > self._held:
            self._hold.grow(size - self._held)
            self._held = size

    async def _save(self) -> None:
        self._job.updated_at = self._around.clock.now()
        await self._around.patience.until_done(lambda: self._around.jobs.save(self._job))

    async def _end_backfill(self) -> None:
        ended = self._accounts.ended(self._file.content, self._order.source)
        unended = 0
        while some := list(islice(ended, self._around.limits.batch_lines)):
            receipt = await self._delivered(some, [{"import": self._order.id}] * len(some))
            unended += sum(each.status in _REFUSED for each in receipt.results)
        if unended:
            self._job.problem = (
                f"The backfill of {unended} accounts was not ended: GET /v1/rejections tells why."
            )
