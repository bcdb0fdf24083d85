"""The tables of names and decisions.

Who works with a person holds the lock of that person until the end of the transaction, so that one replica cannot hold a
message while another one learns the account. Joining two persons into one is rare and keeps everyone else out meanwhile:
then nobody can look up a name that is about to stand for somebody else.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.application.ports import Decision
from ingest.domain.people import Circle, Person

_GATE = 1_400_000
_STRIPES = 256
"""Locks are taken by stripes of persons, so that a large request cannot exhaust the server's table of locks."""

_SHARE = text("SELECT pg_advisory_xact_lock_shared(:gate)")
_SHUT = text("SELECT pg_advisory_xact_lock(:gate)")
_LOCK = text("SELECT pg_advisory_xact_lock(:gate, stripe) FROM unnest(CAST(:stripes AS int[])) AS stripe")

_FIND = text("""
SELECT n.name, n.person, p.account_id, p.joined_at
FROM names n JOIN names p ON p.name = n.person
WHERE n.name = ANY(CAST(:names AS text[]))
""")

_SAVE = text("""
INSERT INTO names (name, person, account_id, joined_at)
SELECT * FROM unnest(CAST(:names AS text[]), CAST(:persons AS text[]), CAST(:accounts AS text[]), CAST(:times AS timestamptz[]))
ON CONFLICT (name) DO UPDATE SET
    person = EXCLUDED.person, account_id = EXCLUDED.account_id, joined_at = EXCLUDED.joined_at
""")

_MERGE = text("""
UPDATE names n SET person = t.stays
FROM unnest(CAST(:gone AS text[]), CAST(:stays AS text[])) AS t(gone, stays)
WHERE n.person = t.gone
""")

_DECISIONS = text("""
SELECT message_key::text AS key, digest, account_id, person FROM decisions
WHERE message_key = ANY(CAST(:keys AS uuid[]))
""")

_DECIDE = text("""
INSERT INTO decisions (message_key, digest, account_id, person, decided_at)
SELECT t.*, :now FROM unnest(CAST(:keys AS uuid[]), CAST(:digests AS bytea[]), CAST(:accounts AS text[]),
    CAST(:persons AS text[])) AS t
ON CONFLICT (message_key) DO NOTHING
""")

_FORGET = text("""
DELETE FROM decisions WHERE message_key IN (
    SELECT message_key FROM decisions WHERE decided_at < :before LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")


class PostgresPeople:
    """Names and decisions in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock(self, names: Collection[str], *, merging: bool) -> dict[str, Person]:
        """The persons behind these names, and behind the names that stand for them; nobody else changes them meanwhile."""
        await self._tx.execute(_SHUT if merging else _SHARE, {"gate": _GATE})
        if merging:
            return await self._find(names)
        # Which name stands for a person cannot change behind the gate, but the account can until the person is locked.
        known = await self._find(names)
        stripes = {crc32(known[name].name.encode() if name in known else name.encode()) for name in names}
        await self._tx.execute(
            _LOCK, {"gate": _GATE, "stripes": sorted({each % _STRIPES for each in stripes})}
        )
        return await self._find(names)

    async def _find(self, names: Collection[str]) -> dict[str, Person]:
        found = {}
        for row in await self._tx.execute(_FIND, {"names": sorted(names)}):
            found[row.name] = found[row.person] = Person(row.person, row.account_id, row.joined_at)
        return found

    async def save(self, circle: Circle) -> None:
        """Write down what changed."""
        if circle.merged:
            pairs = circle.merged
            await self._tx.execute(_MERGE, {"gone": list(pairs), "stays": list(pairs.values())})
        if not circle.changed:
            return
        rows = sorted(circle.changed.items())
        await self._tx.execute(
            _SAVE,
            {
                "names": [name for name, _ in rows],
                "persons": [person.name for _, person in rows],
                "accounts": [person.account if person.name == name else None for name, person in rows],
                "times": [person.joined_at if person.name == name else None for name, person in rows],
            },
        )

    async def decisions(self, keys: Collection[str]) -> dict[str, Decision]:
        """What was decided for these messages before."""
        if not keys:
            return {}
        rows = await self._tx.execute(_DECISIONS, {"keys": list(keys)})
        return {
            row.key: Decision(digest=row.digest, account=row.account_id, person=row.person) for row in rows
        }

    async def decide(self, decisions: Mapping[str, Decision], now: datetime) -> None:
        """Keep decisions; what was decided before stays."""
        if not decisions:
            return
        rows = sorted(decisions.items())
        await self._tx.execute(
            _DECIDE,
            {
                "keys": [key for key, _ in rows],
                "digests": [each.digest for _, each in rows],
                "accounts": [each.account for _, each in rows],
                "persons": [each.person for _, each in rows],
                "now": now,
            },
        )

    async def forget(self, before: datetime, limit: int) -> int:
        """Drop so many decisions of messages that no sender sends again; how many they were."""
        return int((await self._tx.execute(_FORGET, {"before": before, "limit": limit})).rowcount)
