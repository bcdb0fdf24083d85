"""The table `hands`: what each worker has begun and not ended, so that what kills workers is found."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_HOLD = text("""
INSERT INTO hands (worker, runs, until) VALUES (:worker, CAST(:runs AS text[]), :until)
ON CONFLICT (worker) DO UPDATE SET runs = EXCLUDED.runs, until = EXCLUDED.until
""")

_RELEASE = text("DELETE FROM hands WHERE worker = :worker")

_ABANDONED = text("""
DELETE FROM hands WHERE worker IN (SELECT worker FROM hands WHERE until < :now FOR UPDATE SKIP LOCKED) RETURNING runs
""")

# Locked in the order of ids, as everywhere: news of the same accounts and other hands meet these rows, too.
_SUSPECT = text("""
WITH locked AS (
    SELECT id FROM runs WHERE id = ANY(CAST(:ids AS text[])) AND status = 'active' ORDER BY id FOR UPDATE
)
UPDATE runs SET suspects = t.suspects
FROM locked JOIN unnest(CAST(:ids AS text[]), CAST(:groups AS text[])) AS t(id, suspects) USING (id)
WHERE runs.id = locked.id
""")


class PostgresHands:
    """Implements ports.Hands."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def hold(self, worker: str, runs: Sequence[str], until: datetime) -> None:
        """The worker begins with these, and is done by then or dead."""
        await self._tx.execute(_HOLD, {"worker": worker, "runs": list(runs), "until": until})

    async def release(self, worker: str) -> None:
        """It is done."""
        await self._tx.execute(_RELEASE, {"worker": worker})

    async def abandoned(self, now: datetime) -> Sequence[Sequence[str]]:
        """What the dead had in hand, each hand once; nobody else is told of it."""
        return list(await self._tx.scalars(_ABANDONED, {"now": now}))

    async def suspect(self, groups: Sequence[Sequence[str]]) -> None:
        """One of these runs may have killed a worker: each group is taken by itself, until its runs have ended a step."""
        named = [
            (run_id, name) for name, group in ((str(uuid4()), each) for each in groups) for run_id in group
        ]
        await self._tx.execute(
            _SUSPECT, {"ids": [each for each, _ in named], "groups": [each for _, each in named]}
        )
