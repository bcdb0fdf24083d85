"""The table `playbooks` as the engine uses it: immutable versions by content, at most one active version a name."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.definitions import content_hash, decode_definition, encode_definition, playbook_of
from playbooks.application.model import Playbook, PlaybookKey
from playbooks.domain.definition import Definition

# Whoever changes versions does so one after the other: replicas that start together, and people.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('playbooks.publish', 0))")

# A name that has a version over REST belongs to people from then on.
_THEIRS = text("SELECT DISTINCT name FROM playbooks WHERE origin <> 'file'")

_DEACTIVATE = text(
    "UPDATE playbooks SET active = false WHERE active AND name <> ALL(CAST(:theirs AS text[]))"
)

_SHIP = text("""
INSERT INTO playbooks (name, version, title, hash, definition, active, created_at)
SELECT :name, 1 + coalesce(max(version), 0), :title, :hash, CAST(:definition AS jsonb), true, :now
FROM playbooks WHERE name = :name
ON CONFLICT (name, hash) DO UPDATE SET active = true
RETURNING version
""")

_ACTIVE = text("SELECT name, version FROM playbooks WHERE active ORDER BY name")

_LOAD = text("""
SELECT name, version, definition::text AS definition FROM playbooks
JOIN unnest(CAST(:names AS text[]), CAST(:versions AS int[])) AS wanted(name, version) USING (name, version)
""")


class PlaybookCache:
    """Versions ready for use; they never change, so they are decoded and compiled once a process."""

    def __init__(self) -> None:
        self.known: dict[PlaybookKey, Playbook] = {}

    def put(self, version: int, definition: Definition) -> None:
        """Make it ready."""
        self.known[definition.name, version] = playbook_of(version, definition)


class PostgresPlaybooks:
    """Implements ports.Playbooks."""

    def __init__(self, tx: AsyncConnection, cache: PlaybookCache) -> None:
        self._tx = tx
        self._cache = cache

    async def ship(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        """Put the files in force, except those of names that somebody has changed over REST; what is active of them."""
        await self._tx.execute(LOCK)
        theirs = set((await self._tx.scalars(_THEIRS)).all())
        await self._tx.execute(_DEACTIVATE, {"theirs": sorted(theirs)})
        return [(each.name, await self._ship(each, now)) for each in definitions if each.name not in theirs]

    async def _ship(self, definition: Definition, now: datetime) -> int:
        version: int = await self._tx.scalar(_SHIP, {**content_columns(definition), "now": now})
        return version

    async def active(self) -> Sequence[Playbook]:
        """The version of each playbook that starts runs, paused or not, by name."""
        keys = [(row.name, row.version) for row in await self._tx.execute(_ACTIVE)]
        found = await self.load(keys)
        return [found[key] for key in keys]

    def at_hand(self) -> Collection[Playbook]:
        """Those that this process has come across."""
        return list(self._cache.known.values())

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        """These versions, active or not."""
        missing = [key for key in keys if key not in self._cache.known]
        if missing:
            names, versions = zip(*missing, strict=True)
            for row in await self._tx.execute(_LOAD, {"names": names, "versions": versions}):
                self._cache.put(row.version, decode_definition(row.definition))
        return {key: self._cache.known[key] for key in keys}


def content_columns(definition: Definition) -> dict[str, str]:
    """The columns that hold what a definition says."""
    encoded = encode_definition(definition)
    return {
        "name": definition.name,
        "title": definition.title,
        "hash": content_hash(encoded),
        "definition": encoded.decode(),
    }
