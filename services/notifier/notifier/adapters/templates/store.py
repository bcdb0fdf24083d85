"""The table `templates`: immutable versions by content, at most one active version a name."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.application.template_ports import Audited, StoredVersion, Written

# Whoever changes versions does so one after the other: replicas that start together, and people.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('notifier.templates', 0))")

# A name that somebody activated a version of belongs to people from then on.
_THEIRS = text("SELECT DISTINCT name FROM template_audit WHERE action = 'activated' AND actor <> 'system'")

_RETIRE = text(
    "UPDATE templates SET active = false"
    " WHERE active AND name <> ALL(CAST(:theirs AS text[])) AND name <> ALL(CAST(:shipped AS text[]))"
)

_ADD = text("""
INSERT INTO templates (name, version, kind, title, hash, document, source, active, origin, author, note, created_at)
SELECT :name, 1 + coalesce(max(version), 0), :kind, :title, :hash, CAST(:document AS jsonb), :source, false, :origin, :author,
    :note, :now
FROM templates WHERE name = :name
ON CONFLICT (name, hash) DO NOTHING
RETURNING version
""")

_SAME = text("SELECT version FROM templates WHERE name = :name AND hash = :hash")

# One after the other: the index that lets only one version be active looks at every row.
_DEACTIVATE = text(
    "UPDATE templates SET active = false WHERE name = :name AND active AND version <> :version"
)
_ACTIVATE = text(
    "UPDATE templates SET active = true WHERE name = :name AND version = :version AND NOT active"
)

_MOVE_ON = text("UPDATE template_generation SET number = number + 1")

_COLUMNS = (
    "name, version, kind, title, active, origin, author, note, created_at, document::text AS document, source"
)

_SHOWN = text(f"""
SELECT {_COLUMNS} FROM templates
WHERE active OR (name, version) IN (SELECT name, max(version) FROM templates GROUP BY name)
ORDER BY name, version
""")  # noqa: S608  (our own columns, below as well)

_OF = text(f"SELECT {_COLUMNS} FROM templates WHERE name = :name ORDER BY version")  # noqa: S608

_AUDIT = text("""
INSERT INTO template_audit (at, actor, action, name, detail)
VALUES (:at, :actor, :action, :name, CAST(:detail AS jsonb))
""")


class PostgresTemplates:
    """Implements template_ports.TemplateStore."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock(self) -> None:
        """Until the transaction ends."""
        await self._tx.execute(_LOCK)

    async def ship(self, shipped: Sequence[Written], now: datetime) -> Sequence[tuple[str, int]]:
        """New versions where the content is new; names that people have taken over keep what they have in force."""
        await self.lock()
        theirs = sorted((await self._tx.scalars(_THEIRS)).all())
        names = [each.name for each in shipped]
        retired = await self._tx.execute(_RETIRE, {"theirs": theirs, "shipped": names})
        new = []
        for each in shipped:
            version, _ = await self._add(each, "file", "system", "shipped", now)
            if each.name not in theirs and await self._put_in_force(each.name, version):
                new.append((each.name, version))
        if new or retired.rowcount:
            await self._tx.execute(_MOVE_ON)
        return new

    async def shown(self) -> Sequence[StoredVersion]:
        """By name and version."""
        return [_version(row) for row in await self._tx.execute(_SHOWN)]

    async def of(self, name: str) -> Sequence[StoredVersion]:
        """Oldest first."""
        return [_version(row) for row in await self._tx.execute(_OF, {"name": name})]

    async def add(self, written: Written, author: str, note: str, now: datetime) -> tuple[int, bool]:
        """Known by its content."""
        return await self._add(written, "rest", author, note, now)

    async def activate(self, name: str, version: int) -> None:
        """And let every process see it."""
        await self._put_in_force(name, version)
        await self._tx.execute(_MOVE_ON)

    async def audit(self, done: Audited) -> None:
        """One row."""
        await self._tx.execute(_AUDIT, {**asdict(done), "detail": json.dumps(dict(done.detail))})

    async def _put_in_force(self, name: str, version: int) -> bool:
        which = {"name": name, "version": version}
        await self._tx.execute(_DEACTIVATE, which)
        return (await self._tx.execute(_ACTIVATE, which)).rowcount > 0

    async def _add(
        self, written: Written, origin: str, author: str, note: str, now: datetime
    ) -> tuple[int, bool]:
        columns = {**_content(written), "origin": origin, "author": author, "note": note, "now": now}
        added = await self._tx.scalar(_ADD, columns)
        if added is not None:
            return int(added), True
        known = await self._tx.scalar(_SAME, {"name": columns["name"], "hash": columns["hash"]})
        return int(known), False


class PostgresTemplateStores:
    """Implements template_ports.TemplateStores."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTemplates]:
        """One transaction."""
        async with self._engine.begin() as tx:
            yield PostgresTemplates(tx)


def _content(written: Written) -> dict[str, Any]:
    document: Mapping[str, Any] = written.document
    encoded = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "name": document["name"],
        "kind": document["kind"],
        "title": document["title"],
        "hash": sha256(encoded.encode()).hexdigest(),
        "document": encoded,
        "source": written.source,
    }


def _version(row: Row[tuple[object, ...]]) -> StoredVersion:
    told = dict(row._mapping)
    return StoredVersion(**{**told, "document": json.loads(str(told["document"]))})
