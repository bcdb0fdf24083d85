"""The accounts table: one upsert a batch, states as bytes beside the few columns that lists and timers need."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.adapters.state_codec import StateCodec
from health_score.application.ports import AccountRow
from health_score.domain.account import AccountState, begun_behind

_LOAD = text("SELECT state FROM accounts WHERE account_id = ANY(CAST(:ids AS text[]))")

_LOAD_ERASED = text("SELECT account_id, revision FROM erased WHERE account_id = ANY(CAST(:ids AS text[]))")

_ERASE = text("""
WITH gone AS (DELETE FROM accounts WHERE account_id = ANY(CAST(:ids AS text[])) RETURNING account_id, revision)
INSERT INTO erased (account_id, revision) SELECT account_id, revision FROM gone
ON CONFLICT (account_id) DO UPDATE SET revision = EXCLUDED.revision
""")

_SAVE = text("""
INSERT INTO accounts (account_id, partition, revision, state, snapshot, score, band, coverage, due_at, updated_at)
SELECT t.*, now()
FROM unnest(CAST(:ids AS text[]), CAST(:partitions AS int[]), CAST(:revisions AS bigint[]), CAST(:states AS bytea[]),
    CAST(:snapshots AS bytea[]), CAST(:scores AS float8[]), CAST(:bands AS text[]), CAST(:coverages AS float8[]),
    CAST(:dues AS timestamptz[])) AS t
ON CONFLICT (account_id) DO UPDATE SET
    partition = EXCLUDED.partition, revision = EXCLUDED.revision, state = EXCLUDED.state, snapshot = EXCLUDED.snapshot,
    score = EXCLUDED.score, band = EXCLUDED.band, coverage = EXCLUDED.coverage, due_at = EXCLUDED.due_at,
    updated_at = EXCLUDED.updated_at
""")

_DUE = text("""
SELECT account_id, partition, due_at FROM accounts
WHERE partition = ANY(CAST(:partitions AS int[])) AND due_at <= :now
ORDER BY due_at LIMIT :limit
""")

_NEXT_DUE = text(
    "SELECT min(due_at) FROM accounts WHERE partition = ANY(CAST(:partitions AS int[])) AND due_at IS NOT NULL"
)


class PostgresAccounts:
    """AccountRepository on PostgreSQL."""

    def __init__(self, codec: StateCodec) -> None:
        self._codec = codec

    async def load(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """The states of those of the accounts that are known, erased ones as they begin."""
        rows = await tx.execute(_LOAD, {"ids": list(account_ids)})
        states = [self._codec.decode(row.state) for row in rows]
        found = {state.account_id: state for state in states}
        if missing := [each for each in account_ids if each not in found]:
            for row in await tx.execute(_LOAD_ERASED, {"ids": missing}):
                found[row.account_id] = begun_behind(row.account_id, row.revision)
        return found

    async def erase(self, tx: AsyncConnection, account_ids: Collection[str]) -> int:
        """Delete all that is kept of the accounts but their last revisions; how many there were."""
        return (await tx.execute(_ERASE, {"ids": sorted(account_ids)})).rowcount

    async def save(self, tx: AsyncConnection, rows: Sequence[AccountRow]) -> None:
        """Write the accounts, new or known, in the order of their ids so that two writers cannot deadlock."""
        if not rows:
            return
        ordered = sorted(rows, key=lambda row: row.state.account_id)
        assessed = [row.state.last for row in ordered]
        await tx.execute(
            _SAVE,
            {
                "ids": [row.state.account_id for row in ordered],
                "partitions": [row.partition for row in ordered],
                "revisions": [row.state.revision for row in ordered],
                "states": [self._codec.encode(row.state) for row in ordered],
                "snapshots": [row.snapshot for row in ordered],
                "scores": [each.score if each else None for each in assessed],
                "bands": [each.band if each else None for each in assessed],
                "coverages": [each.coverage if each else 0.0 for each in assessed],
                "dues": [row.due_at for row in ordered],
            },
        )

    async def due(
        self, tx: AsyncConnection, partitions: Collection[int], now: datetime, limit: int
    ) -> list[tuple[str, int, datetime]]:
        """Account, partition and due instant of what is due by `now`, longest due first."""
        rows = await tx.execute(_DUE, {"partitions": list(partitions), "now": now, "limit": limit})
        return [(row.account_id, row.partition, row.due_at) for row in rows]

    async def next_due(self, tx: AsyncConnection, partitions: Collection[int]) -> datetime | None:
        """When the next account of the partitions becomes due."""
        found: datetime | None = await tx.scalar(_NEXT_DUE, {"partitions": list(partitions)})
        return found
