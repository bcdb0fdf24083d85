"""What ended long ago goes: runs with all that belongs to them, then what nothing refers to any more. A little at a time."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# A task that is still open keeps its run.
_ENDED = text("""
SELECT id FROM runs
WHERE status <> 'active' AND ended_at < :before
    AND NOT EXISTS (SELECT FROM tasks WHERE run_id = runs.id AND status IN ('open', 'snoozed'))
ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")

# In the order of the references between them, the referring ones first.
_OF_RUNS = tuple(
    text(statement)
    for statement in (
        "DELETE FROM tasks WHERE run_id = ANY(CAST(:ids AS text[]))",
        "DELETE FROM approvals WHERE run_id = ANY(CAST(:ids AS text[]))",
        "DELETE FROM run_steps WHERE run_id = ANY(CAST(:ids AS text[]))",
        "DELETE FROM runs WHERE id = ANY(CAST(:ids AS text[]))",
    )
)

_CROSSINGS = text("""
DELETE FROM crossings WHERE id IN (
    SELECT id FROM crossings WHERE received_at < :before
        AND NOT EXISTS (SELECT FROM entries JOIN runs ON runs.id = entries.run_id WHERE entries.crossing_id = crossings.id)
        AND NOT EXISTS (SELECT FROM runs WHERE runs.exit_crossing_id = crossings.id)
    ORDER BY received_at LIMIT :limit
) RETURNING id
""")

_ENTRIES = text("DELETE FROM entries WHERE crossing_id = ANY(CAST(:ids AS text[]))")

# By their entry, whatever became of a run: were the treated kept as long as their runs, those who stayed ill would outlive the
# others, and the arms could not be compared.
_TRIALS = text("DELETE FROM trials WHERE entered_at < :before")
_TASKS_BY_HAND = text("DELETE FROM tasks WHERE run_id IS NULL AND done_at < :before")
_AUDIT = text("DELETE FROM audit WHERE at < :before")


class PostgresPruning:
    """Deletes what is older than `kept`, at most `chunk` rows of a kind in a transaction."""

    def __init__(self, engine: AsyncEngine, kept: timedelta, *, chunk: int = 5_000) -> None:
        self._engine = engine
        self._kept = kept
        self._chunk = chunk

    async def prune(self, now: datetime) -> None:
        """Delete all that is too old."""
        before = now - self._kept
        while await self._runs(before) == self._chunk:
            pass
        while await self._crossings(before) == self._chunk:
            pass
        async with self._engine.begin() as tx:
            await tx.execute(_TRIALS, {"before": before})
            await tx.execute(_TASKS_BY_HAND, {"before": before})
            await tx.execute(_AUDIT, {"before": before})

    async def _runs(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            ended = list(await tx.scalars(_ENDED, {"before": before, "limit": self._chunk}))
            for statement in _OF_RUNS:
                await tx.execute(statement, {"ids": ended})
        return len(ended)

    async def _crossings(self, before: datetime) -> int:
        async with self._engine.begin() as tx:
            gone = list(await tx.scalars(_CROSSINGS, {"before": before, "limit": self._chunk}))
            await tx.execute(_ENTRIES, {"ids": gone})
        return len(gone)
