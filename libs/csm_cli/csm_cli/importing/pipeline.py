"""The import itself: batches of rows are mapped and sent, a few at a time, and settled in the order of the files.

Settling in order is what makes the checkpoint simple: everything before it is done.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Protocol

from csm_cli.importing.checkpoint import Checkpoint, CheckpointFile
from csm_cli.importing.door import Refusal
from csm_cli.importing.mapper import Event, Frame, Skipped
from csm_cli.importing.rejects import RejectsFile
from csm_cli.importing.stream import Outcome, Stream
from csm_cli.importing.tally import Tally
from csm_common.contracts.envelope import encode
from csm_common.contracts.facts import BackfillEnded
from csm_common.ids import derived_id
from csm_common.mapping.rejection import RejectedRowError

IN_FLIGHT = 4
_GIVE_UP_S = 2.0
Sending = tuple[list[Outcome], asyncio.Task[list[Refusal]]]


class Sink(Protocol):
    """Where batches go: ingest's door, or the check of a dry run."""

    async def send(self, events: Sequence[bytes]) -> list[Refusal]:
        """The refused events; all others are acknowledged."""
        ...


class Progress(Protocol):
    """Who watches."""

    def advance(self, bytes_read: int, tally: Tally) -> None:
        """So many bytes of the files were taken in, and this is the account of the settled rows."""
        ...


class Pipeline:
    """Runs one import from its checkpoint to the end. `checkpoints` is None for a dry run, which leaves no trace."""

    def __init__(
        self,
        stream: Stream,
        sink: Sink,
        frame: Frame,
        checkpoint: Checkpoint,
        rejects: RejectsFile,
        progress: Progress,
        *,
        batch: int,
        checkpoints: CheckpointFile | None = None,
    ) -> None:
        self._stream = stream
        self._sink = sink
        self._frame = frame
        self._checkpoint = checkpoint
        self._rejects = rejects
        self._progress = progress
        self._batch = batch
        self._checkpoints = checkpoints
        self._newest: dict[str, datetime] = {}

    async def run(self) -> list[Refusal]:
        """Sends what is left; then, for a backfill, tells that it ended. What ingest refused of that is returned.

        Raises the stream's damage when a file could not be read to its end, after all rows before it are settled;
        TransientError or PermanentError when ingest does not take the rows.
        """
        await self._replay()
        await self._send_all()
        if self._stream.damage:
            raise self._stream.damage
        refused = await self._end_backfill() if self._frame.backfill else []
        self._checkpoint.complete = True
        self._save()
        return refused

    async def _replay(self) -> None:
        """Maps again what earlier runs settled, without sending: identical rows have to be counted from the first."""
        left = self._checkpoint.rows
        while left and (outcomes := self._stream.take(min(left, self._batch))):
            left -= len(outcomes)
            self._events(outcomes)
            self._progress.advance(self._stream.bytes_read, self._checkpoint.tally)
            await asyncio.sleep(0)  # lets Ctrl-C through

    async def _send_all(self) -> None:
        pending: deque[Sending] = deque()
        try:
            while outcomes := self._stream.take(self._batch):
                pending.append((outcomes, asyncio.create_task(self._send(self._events(outcomes)))))
                await asyncio.sleep(0)  # the request leaves before the next batch is mapped
                if len(pending) >= IN_FLIGHT:
                    await self._settle(pending)
            while pending:
                await self._settle(pending)
        finally:
            await _give_up([task for _, task in pending])

    async def _send(self, events: Sequence[bytes]) -> list[Refusal]:
        return await self._sink.send(events) if events else []

    def _events(self, outcomes: Sequence[Outcome]) -> list[bytes]:
        events = [each.result for each in outcomes if isinstance(each.result, Event)]
        if self._frame.backfill:
            for event in events:
                self._newest[event.subject] = max(event.time, self._newest.get(event.subject, event.time))
        return [each.body for each in events]

    async def _settle(self, pending: deque[Sending]) -> None:
        outcomes, task = pending[0]
        await asyncio.wait(
            {task}
        )  # not the task itself: Ctrl-C would be handed on to it, and ends us only if it obeys
        refusals = {each.index: each for each in task.result()}
        pending.popleft()
        index = -1
        for outcome in outcomes:
            section = self._checkpoint.tally.section(outcome.place.section)
            if isinstance(outcome.result, Skipped):
                section.skip(outcome.result.reason)
            elif isinstance(outcome.result, RejectedRowError):
                self._reject(outcome, outcome.result)
            elif refusal := refusals.get(index := index + 1):
                self._reject(outcome, RejectedRowError(refusal.code, refusal.message))
            else:
                section.accept(1)
        self._checkpoint.rows += len(outcomes)
        self._save()
        self._progress.advance(self._stream.bytes_read, self._checkpoint.tally)

    def _reject(self, outcome: Outcome, error: RejectedRowError) -> None:
        place = outcome.place
        self._checkpoint.tally.section(place.section).reject(error.reason, error.message)
        self._rejects.write(
            section=place.section,
            file=str(place.path),
            line=outcome.line,
            code=error.code,
            message=error.message,
            row=place.named(outcome.row),
        )

    def _save(self) -> None:
        self._checkpoint.rejects_bytes = self._rejects.flush()
        if self._checkpoints:
            self._checkpoints.write(self._checkpoint)

    async def _end_backfill(self) -> list[Refusal]:
        """One fact per account; its time is the account's newest imported one, so a repeated import says the same."""
        files = [f"{each.size} {each.head}" for each in self._checkpoint.identity.files]
        import_id = derived_id("import", self._frame.source, *files)
        accounts = iter(sorted(self._newest.items()))
        refused: list[Refusal] = []
        while some := list(islice(accounts, self._batch)):
            refused += await self._sink.send([self._ended(import_id, *each) for each in some])
        return refused

    def _ended(self, import_id: str, account: str, time: datetime) -> bytes:
        return encode(
            id=derived_id("backfill-ended", import_id, account, time.isoformat()),
            source=self._frame.source,
            type="csm.backfill.ended",
            subject=account,
            time=time,
            data=BackfillEnded(import_id=import_id),
        )


async def _give_up(sendings: Sequence[asyncio.Task[list[Refusal]]]) -> None:
    """End what is on its way; what does not end soon is left to the end of the loop."""
    for each in sendings:
        each.cancel()
    if not sendings:
        return
    done, _ = await asyncio.wait(sendings, timeout=_GIVE_UP_S)
    for each in done:
        if not each.cancelled():
            each.exception()  # nobody is interested in it any more
