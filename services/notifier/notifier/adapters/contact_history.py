"""The table of who was contacted when, and the locks under which one sender at a time decides about a person or an account."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.domain.policy import Contacted

# Locks are taken in the order of the array, which is sorted: two that want the same ones never wait for each other.
_LOCK = text("SELECT count(pg_advisory_xact_lock(key)) FROM unnest(CAST(:keys AS bigint[])) AS key")

_SINCE = text("""
SELECT * FROM contacted WHERE person = ANY(CAST(:persons AS text[])) AND at >= :moment
UNION
SELECT * FROM contacted WHERE account_id = ANY(CAST(:account_ids AS text[])) AND at >= :moment
""")

_ADD = text("""
INSERT INTO contacted (notification_id, account_id, person, at, priority, category, message_class)
SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:accounts AS text[]), CAST(:persons AS text[]), CAST(:times AS timestamptz[]),
    CAST(:priorities AS int[]), CAST(:categories AS text[]), CAST(:classes AS text[]))
ON CONFLICT (notification_id) DO UPDATE SET
    at = greatest(contacted.at, EXCLUDED.at), person = EXCLUDED.person, priority = EXCLUDED.priority
""")

# An attempt that nobody knows the end of may have reached the person, at the latest when it was given up.
_REMOVE = text("""
WITH reached AS (
    SELECT notification_id, max(ended_at) AS at FROM attempts
    WHERE notification_id = ANY(CAST(:ids AS text[])) AND (outcome IS NULL OR outcome IN ('unknown', 'accepted'))
    GROUP BY notification_id
), kept AS (
    UPDATE contacted c SET at = reached.at FROM reached WHERE c.notification_id = reached.notification_id AND c.at < reached.at
)
DELETE FROM contacted c WHERE notification_id = ANY(CAST(:ids AS text[]))
    AND notification_id NOT IN (SELECT notification_id FROM reached)
""")


class PostgresContactHistory:
    """The history in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock(self, persons: Collection[str], account_ids: Collection[str]) -> None:
        """Until the end of the transaction nobody else decides about these. Once a transaction, before anything is read."""
        await lock(self._tx, persons, account_ids)

    async def since(
        self, persons: Collection[str], account_ids: Collection[str], moment: datetime
    ) -> Sequence[Contacted]:
        """Every message to these persons or about these accounts at or after that moment."""
        them = {"persons": sorted(persons), "account_ids": sorted(account_ids), "moment": moment}
        return [Contacted(**row._mapping) for row in await self._tx.execute(_SINCE, them)]

    async def add(self, contacted: Sequence[Contacted]) -> None:
        """These are told now; one that is known by its notification moves to the new time, never back."""
        ordered = sorted(contacted, key=lambda each: each.notification_id)
        if not ordered:
            return
        columns = {
            "ids": [each.notification_id for each in ordered],
            "accounts": [each.account_id for each in ordered],
            "persons": [each.person for each in ordered],
            "times": [each.at for each in ordered],
            "priorities": [each.priority for each in ordered],
            "categories": [each.category for each in ordered],
            "classes": [each.message_class for each in ordered],
        }
        await self._tx.execute(_ADD, columns)

    async def remove(self, notification_ids: Collection[str]) -> None:
        """Nobody was reached by these after all. What may have gone out is kept, and counts from the end of its attempt."""
        if notification_ids:
            await self._tx.execute(_REMOVE, {"ids": sorted(notification_ids)})


async def lock(tx: AsyncConnection, persons: Collection[str], account_ids: Collection[str] = ()) -> None:
    """Take the locks of persons and accounts in one statement, in the one order everybody takes them in."""
    keys = sorted({*_keys("person", persons), *_keys("account", account_ids)})
    if keys:
        await tx.execute(_LOCK, {"keys": keys})


def _keys(kind: str, names: Iterable[str]) -> Iterable[int]:
    return (lock_key(f"contact policy/{kind}/{each}") for each in names)


def lock_key(name: str) -> int:
    """The key of an advisory lock: two names of one key only wait for each other without need."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
