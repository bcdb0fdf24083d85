"""What the writer reads of scorecards and of the changes of the model, and what each partition has taken up of them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.adapters import model_changes
from health_score.adapters.state_codec import StateCodec
from health_score.application.model_ports import ModelChange, Refold, StoredCard
from health_score.domain.account import AccountState

_NEWEST = text("SELECT (SELECT max(number) FROM model_changes), (SELECT max(done_at) FROM refolds)")

_CARDS = text("""
SELECT s.name, s.version, s.document, s.author, s.note, s.created_at FROM scorecards s
JOIN unnest(CAST(:names AS text[]), CAST(:versions AS int[])) AS t(name, version) USING (name, version)
""")

_JUDGING = text(
    "SELECT partition, model FROM partition_models WHERE partition = ANY(CAST(:partitions AS int[]))"
)

_JUDGE_BY = text("""
INSERT INTO partition_models (partition, model) VALUES (:partition, :model)
ON CONFLICT (partition) DO UPDATE SET model = EXCLUDED.model
""")

_REFOLDS = text("""
SELECT partition, model, until_offset, done_at IS NOT NULL AS done FROM refolds
WHERE partition = ANY(CAST(:partitions AS int[])) ORDER BY partition, model
""")

_BEGIN_REFOLD = text("""
INSERT INTO refolds (partition, model, until_offset)
SELECT :partition, :model, next_offset FROM positions
WHERE consumer = 'health-score' AND topic = 'customer.events.v1' AND partition = :partition
""")

# What was folded of an account before it was erased is void.
_TAKE_REFOLDED = text("""
WITH taken AS (
    DELETE FROM refolded WHERE account_id = ANY(CAST(:ids AS text[])) AND model <= :model
    RETURNING account_id, model, partition, state
)
SELECT t.account_id, t.state FROM taken t
JOIN refolds r USING (partition, model)
LEFT JOIN erased e USING (account_id)
WHERE e.account_id IS NULL OR e.at_offset < r.until_offset
ORDER BY t.account_id, t.model
""")


async def newest(tx: AsyncConnection) -> tuple[int | None, datetime | None]:
    """The number of the last change of the model, and when the last refold was done."""
    number, done_at = (await tx.execute(_NEWEST)).one()
    return number, done_at


class PostgresModels:
    """ModelRepository on PostgreSQL."""

    def __init__(self, codec: StateCodec) -> None:
        self._codec = codec

    async def changes(self, tx: AsyncConnection) -> list[ModelChange]:
        """All changes so far, oldest first."""
        return await model_changes.read(tx)

    async def cards(self, tx: AsyncConnection, ids: Collection[tuple[str, int]]) -> list[StoredCard]:
        """These versions of scorecards."""
        names, versions = [name for name, _ in ids], [version for _, version in ids]
        rows = await tx.execute(_CARDS, {"names": names, "versions": versions})
        return [StoredCard(**row._mapping) for row in rows]

    async def judging(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, int]:
        """By partition the number of the model that judges its accounts."""
        rows = await tx.execute(_JUDGING, {"partitions": list(partitions)})
        return {row.partition: row.model for row in rows}

    async def judge_by(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """From now on this model judges the partition's accounts."""
        await tx.execute(_JUDGE_BY, {"partition": partition, "model": model})

    async def refolds(self, tx: AsyncConnection, partitions: Collection[int]) -> list[Refold]:
        """The refolds of the partitions, oldest first."""
        rows = await tx.execute(_REFOLDS, {"partitions": list(partitions)})
        return [Refold(**row._mapping) for row in rows]

    async def begin_refold(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """Ask for the model's new signals up to where the partition's consumer stands in this very transaction."""
        await tx.execute(_BEGIN_REFOLD, {"partition": partition, "model": model})

    async def take_refolded(
        self, tx: AsyncConnection, account_ids: Collection[str], model: int
    ) -> dict[str, AccountState]:
        """What was folded anew of the accounts for models up to this one, by account; a later model's goes before."""
        rows = await tx.execute(_TAKE_REFOLDED, {"ids": list(account_ids), "model": model})
        return {row.account_id: self._codec.decode(row.state) for row in rows}
