"""The table `playbooks`: immutable versions by content, one active version a name."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.audience import compile_audience
from playbooks.adapters.definitions import content_hash, decode_definition, encode_definition
from playbooks.application.model import Playbook, PlaybookKey
from playbooks.domain.definition import Definition

# Replicas that start together publish one after the other.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('playbooks.publish', 0))")

_DEACTIVATE = text("UPDATE playbooks SET active = false WHERE active")

_PUBLISH = text("""
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
        playbook = Playbook(
            version=version, definition=definition, audience=compile_audience(definition.audience)
        )
        self.known[playbook.name, version] = playbook


class PostgresPlaybooks:
    """Implements ports.Playbooks."""

    def __init__(self, tx: AsyncConnection, cache: PlaybookCache) -> None:
        self._tx = tx
        self._cache = cache

    async def publish(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        """Make exactly these active, as a new version where the content is new; returns their versions."""
        await self._tx.execute(_LOCK)
        await self._tx.execute(_DEACTIVATE)
        return [(each.name, await self._publish(each, now)) for each in definitions]

    async def _publish(self, definition: Definition, now: datetime) -> int:
        encoded = encode_definition(definition)
        version: int = await self._tx.scalar(
            _PUBLISH,
            {
                "name": definition.name,
                "title": definition.title,
                "hash": content_hash(encoded),
                "definition": encoded.decode(),
                "now": now,
            },
        )
        return version

    async def active(self) -> Sequence[Playbook]:
        """The version of each playbook that starts runs."""
        keys = [(row.name, row.version) for row in await self._tx.execute(_ACTIVE)]
        found = await self.load(keys)
        return [found[key] for key in keys]

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        """These versions, active or not."""
        missing = [key for key in keys if key not in self._cache.known]
        if missing:
            names, versions = zip(*missing, strict=True)
            for row in await self._tx.execute(_LOAD, {"names": names, "versions": versions}):
                self._cache.put(row.version, decode_definition(row.definition))
        return {key: self._cache.known[key] for key in keys}
