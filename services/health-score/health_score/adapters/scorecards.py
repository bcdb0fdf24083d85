"""Scorecards and the changes of the model on PostgreSQL, for whoever writes and activates them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from health_score.adapters import model_changes
from health_score.application.model_ports import ModelChange, StoredCard
from health_score.application.scorecard_ports import TakingUp

_CARDS = text("""
SELECT name, version, document, author, note, created_at FROM scorecards
WHERE CAST(:name AS text) IS NULL OR name = :name ORDER BY name, version
""")

_ADD = text("""
INSERT INTO scorecards (name, version, document, author, note, created_at)
VALUES (:name, :version, :document, :author, :note, :created_at)
""")

_TAKING_UP = text("""
SELECT (SELECT count(*) FROM partition_models) AS partitions,
    (SELECT count(*) FROM partition_models WHERE model < :model) AS behind,
    ARRAY(SELECT DISTINCT r.partition FROM refolds r JOIN partition_models p USING (partition)
        WHERE r.done_at IS NULL AND r.model > p.model ORDER BY r.partition) AS refolding,
    (SELECT count(*) FROM accounts) AS accounts,
    (SELECT count(*) FROM accounts WHERE model < :model) AS accounts_behind
""")

_ATTRIBUTES = text("""
SELECT a.account_id, t.attributes::text AS attributes FROM accounts a LEFT JOIN account_attributes t USING (account_id)
WHERE a.account_id > :after ORDER BY a.account_id LIMIT :limit
""")


class PostgresScorecards:
    """ScorecardStore on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Transaction"]:
        """A transaction that only reads."""
        async with self._engine.connect() as tx:
            yield Transaction(tx)

    @asynccontextmanager
    async def changing(self) -> AsyncIterator["Transaction"]:
        """A transaction that is the only one to change anything; committed at the end of the block."""
        async with self._engine.begin() as tx:
            await model_changes.lock(tx)
            yield Transaction(tx)


class Transaction:
    """ScorecardTransaction on PostgreSQL."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def cards(self, name: str | None = None) -> list[StoredCard]:
        """All versions, of one name or of all, by name and version."""
        return [StoredCard(**row._mapping) for row in await self._tx.execute(_CARDS, {"name": name})]

    async def changes(self) -> list[ModelChange]:
        """All changes of the model, oldest first."""
        return await model_changes.read(self._tx)

    async def add(self, card: StoredCard) -> None:
        """Keep a new version."""
        await self._tx.execute(_ADD, asdict(card))

    async def change(self, change: ModelChange) -> int:
        """Write down a change of the model; the number the database gives it."""
        return await model_changes.append(self._tx, change)

    async def taking_up(self, model: int) -> TakingUp:
        """How far the model of this number has got."""
        row = (await self._tx.execute(_TAKING_UP, {"model": model})).one()
        return TakingUp(row.partitions, row.behind, tuple(row.refolding), row.accounts, row.accounts_behind)

    async def attributes(self, after: str, limit: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Accounts behind `after` with their attributes, in the order of their ids."""
        rows = await self._tx.execute(_ATTRIBUTES, {"after": after, "limit": limit})
        return [(row.account_id, msgspec.json.decode(row.attributes or "{}")) for row in rows]
