"""The table `playbooks` as people manage it, with what was put in force (the audit) and what is under way (the runs)."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.definitions import decode_definition
from playbooks.adapters.postgres.audit import PostgresAudit
from playbooks.adapters.postgres.playbooks import LOCK, content_columns
from playbooks.adapters.postgres.store import transient_told
from playbooks.adapters.postgres.switches import PostgresSwitches
from playbooks.application.managing_ports import InFlight, InForce, StoredVersion
from playbooks.domain.definition import Definition

_COLUMNS = "version, definition::text AS definition, origin, author, note, created_at, active"

_SHOWN = text(f"""
SELECT {_COLUMNS} FROM playbooks
WHERE active OR (name, version) IN (SELECT name, max(version) FROM playbooks GROUP BY name)
ORDER BY name, version
""")  # noqa: S608  (our own columns, below as well)

_OF = text(f"SELECT {_COLUMNS} FROM playbooks WHERE name = :name ORDER BY version")  # noqa: S608

_ADD = text("""
INSERT INTO playbooks (name, version, title, hash, definition, active, origin, author, note, created_at)
SELECT :name, 1 + coalesce(max(version), 0), :title, :hash, CAST(:definition AS jsonb), false, 'rest', :author, :note, :now
FROM playbooks WHERE name = :name
ON CONFLICT (name, hash) DO NOTHING
RETURNING version
""")

_SAME = text("SELECT version FROM playbooks WHERE name = :name AND hash = :hash")

# One after the other: the index that lets only one version be active looks at every row.
_DEACTIVATE = text("UPDATE playbooks SET active = false WHERE name = :name AND active")
_ACTIVATE = text(
    "UPDATE playbooks SET active = true, origin = 'rest' WHERE name = :name AND version = :version"
)

_IN_FORCE = text("""
SELECT (detail ->> 'version')::int AS version, (detail ->> 'before')::int AS before, at, actor,
    coalesce(detail ->> 'note', '') AS note
FROM audit WHERE subject = 'playbook:' || :name AND action = 'activated' ORDER BY id
""")

_IN_FLIGHT = text("""
SELECT playbook, version, coalesce(step, '') AS step, count(*)::int AS runs FROM runs
WHERE status = 'active' AND (CAST(:name AS text) IS NULL OR playbook = :name)
GROUP BY playbook, version, step ORDER BY playbook, version, step
""")

_NEVER_TOLD = text("""
SELECT name FROM unnest(CAST(:names AS text[])) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM crossings WHERE threshold = wanted.name) ORDER BY name
""")


class PostgresVersions:
    """Implements managing_ports.Versions."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock(self) -> None:
        """Nobody else changes versions until the transaction ends."""
        await self._tx.execute(LOCK)

    async def shown(self) -> list[StoredVersion]:
        """Of each playbook the newest version and the active one, by name and version."""
        return [_version(row) for row in await self._tx.execute(_SHOWN)]

    async def of(self, name: str) -> list[StoredVersion]:
        """The versions of a playbook, oldest first."""
        return [_version(row) for row in await self._tx.execute(_OF, {"name": name})]

    async def add(self, definition: Definition, author: str, note: str, now: datetime) -> tuple[int, bool]:
        """Its version, and whether that is new."""
        columns = content_columns(definition)
        added = await self._tx.scalar(_ADD, {**columns, "author": author, "note": note, "now": now})
        if added is not None:
            return added, True
        known = await self._tx.scalar(_SAME, {"name": columns["name"], "hash": columns["hash"]})
        return int(known), False

    async def activate(self, name: str, version: int) -> None:
        """Put it in force in place of the one that was; its name belongs to people from now on."""
        await self._tx.execute(_DEACTIVATE, {"name": name})
        await self._tx.execute(_ACTIVATE, {"name": name, "version": version})

    async def in_force(self, name: str) -> list[InForce]:
        """What was put in force, oldest first."""
        return [InForce(**row._mapping) for row in await self._tx.execute(_IN_FORCE, {"name": name})]

    async def in_flight(self, name: str | None = None) -> list[InFlight]:
        """Active runs of a playbook, or of all, by version and step."""
        return [InFlight(**row._mapping) for row in await self._tx.execute(_IN_FLIGHT, {"name": name})]

    async def never_told(self, thresholds: Collection[str]) -> list[str]:
        """Those of these thresholds that no crossing was ever of."""
        return [*(await self._tx.scalars(_NEVER_TOLD, {"names": sorted(thresholds)})).all()]


class PostgresManagement:
    """Implements managing_ports.Management in the transaction it is given."""

    def __init__(self, tx: AsyncConnection) -> None:
        self.versions = PostgresVersions(tx)
        self.switches = PostgresSwitches(tx)
        self.audit = PostgresAudit(tx)


class PostgresManagements:
    """Implements managing_ports.Managements."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresManagement]:
        """One transaction: commits at the end of the block, rolls back when it raises."""
        with transient_told():
            async with self._engine.begin() as tx:
                yield PostgresManagement(tx)


def _version(row: Row[tuple[object, ...]]) -> StoredVersion:
    told = dict(row._mapping)
    return StoredVersion(**{**told, "definition": decode_definition(told["definition"])})
