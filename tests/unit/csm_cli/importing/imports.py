"""One import at a time on a sink in memory: the whole way from files to acknowledged events, without a network."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.unit.csm_cli.importing.samples import USAGE, frame_of, mapping

from csm_cli.importing.checkpoint import Checkpoint, CheckpointFile, identity_of, starting_point
from csm_cli.importing.door import Refusal
from csm_cli.importing.files import plan
from csm_cli.importing.pipeline import Pipeline
from csm_cli.importing.rejects import RejectsFile
from csm_cli.importing.stream import Stream
from csm_cli.importing.tally import Tally


class MemorySink:
    """Takes everything that `refuse` gives no reason against, until it was sent `fails_after` batches.

    The first batch is answered once `first_answer` is set.
    """

    def __init__(
        self,
        refuse: Callable[[dict[str, Any]], str | None] = lambda _: None,
        *,
        fails_after: int | None = None,
        first_answer: asyncio.Event | None = None,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.sends = 0
        self._refuse = refuse
        self._fails_after = fails_after
        self._first_answer = first_answer

    async def send(self, events: Sequence[bytes]) -> list[Refusal]:
        """Implements csm_cli.importing.pipeline.Sink."""
        self.sends += 1
        if self._fails_after is not None and self.sends > self._fails_after:
            raise ConnectionError("away")
        if self.sends == 1 and self._first_answer:
            await self._first_answer.wait()
        await asyncio.sleep(0)
        decoded = [json.loads(each) for each in events]
        reasons = [self._refuse(each) for each in decoded]
        self.events += [each for each, reason in zip(decoded, reasons, strict=True) if reason is None]
        return [Refusal(index, "refused", reason) for index, reason in enumerate(reasons) if reason]

    @property
    def ids(self) -> list[str]:
        """The ids of what was taken, in the order it came."""
        return [each["id"] for each in self.events]


class Watcher:
    """Implements csm_cli.importing.pipeline.Progress."""

    def __init__(self) -> None:
        self.bytes_read: list[int] = []

    def advance(self, bytes_read: int, tally: Tally) -> None:
        """Written down."""
        self.bytes_read.append(bytes_read)


async def run_import(
    data: Path,
    sink: Any,
    *,
    text: str = USAGE,
    batch: int = 3,
    backfill: bool = False,
    limit: int | None = None,
    dry: bool = False,
) -> tuple[Checkpoint, list[Refusal]]:
    """Import everything in `data`, going on from the checkpoint that an earlier call left beside it."""
    planned = plan([str(data)], mapping(text))
    frame = frame_of(backfill=backfill)
    file = CheckpointFile(data.parent / "checkpoint.json")
    identity = identity_of(planned, limit=limit, backfill=backfill, shifted=False)
    checkpoint = starting_point(file.read(), identity)
    rejects = RejectsFile(data.parent / "rejects.jsonl", checkpoint.rejects_bytes)
    try:
        with Stream(planned, frame, limit) as stream:
            pipeline = Pipeline(
                stream,
                sink,
                frame,
                checkpoint,
                rejects,
                Watcher(),
                batch=batch,
                checkpoints=None if dry else file,
            )
            refused = await pipeline.run()
    finally:
        rejects.close()
    return checkpoint, refused


def rejected(data: Path) -> list[dict[str, Any]]:
    """What the rejects file beside `data` holds."""
    text = (data.parent / "rejects.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
