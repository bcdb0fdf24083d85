"""The table of what was not taken, or not yet: kept, counted, and given out again to be tried once more."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.application.ports import Rejection
from ingest.application.replays import Selection

_COLUMNS = """
id, message_key, message_id, source, format, code, reason, body, context, digest, person, drafts, received_at, listed_from
"""

_ADD = text(f"""
INSERT INTO rejections ({_COLUMNS}, last_seen_at)
SELECT id, message_key, message_id, source, format, code, reason, body, context::jsonb, digest, person, drafts, received_at,
    listed_from, received_at
FROM unnest(CAST(:ids AS uuid[]), CAST(:message_keys AS uuid[]), CAST(:message_ids AS text[]), CAST(:sources AS text[]),
    CAST(:formats AS text[]), CAST(:codes AS text[]), CAST(:reasons AS text[]), CAST(:bodies AS bytea[]),
    CAST(:contexts AS text[]), CAST(:digests AS bytea[]), CAST(:persons AS text[]), CAST(:drafts AS bytea[]),
    CAST(:received AS timestamptz[]), CAST(:listed AS timestamptz[]))
    AS t(id, message_key, message_id, source, format, code, reason, body, context, digest, person, drafts, received_at,
    listed_from)
ON CONFLICT (id) DO UPDATE SET code = EXCLUDED.code, reason = EXCLUDED.reason, times = rejections.times + 1,
    last_seen_at = EXCLUDED.last_seen_at, replayed_at = NULL
""")  # noqa: S608  # the columns are constants

_HELD = text(f"""
SELECT {_COLUMNS} FROM rejections
WHERE message_key = ANY(CAST(:keys AS uuid[])) AND person IS NOT NULL AND replayed_at IS NULL
""")  # noqa: S608

_RELEASE = text(f"""
WITH oldest AS (
    SELECT id FROM rejections WHERE person = ANY(CAST(:persons AS text[])) AND replayed_at IS NULL
    ORDER BY received_at, id LIMIT :limit
), gone AS (DELETE FROM rejections USING oldest WHERE rejections.id = oldest.id RETURNING rejections.*)
SELECT {_COLUMNS} FROM gone ORDER BY received_at, id
""")  # noqa: S608

_IN_VAIN = text("""
SELECT DISTINCT r.person FROM rejections r JOIN names n ON n.name = r.person
WHERE r.person IS NOT NULL AND r.replayed_at IS NULL AND n.account_id IS NOT NULL
LIMIT :limit
""")

_RENAME = text("""
UPDATE rejections r SET person = t.stays
FROM unnest(CAST(:gone AS text[]), CAST(:stays AS text[])) AS t(gone, stays)
WHERE r.person = t.gone
""")

_CLAIM = text(f"""
SELECT {_COLUMNS} FROM rejections
WHERE replayed_at IS NULL AND listed_from <= :now AND id > CAST(:after AS uuid)
  AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY(CAST(:ids AS uuid[])))
  AND (CAST(:source AS text) IS NULL OR source = :source)
  AND (CAST(:code AS text) IS NULL OR code = :code)
ORDER BY id
LIMIT :limit
FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_REPLAYED = text("UPDATE rejections SET replayed_at = :now WHERE id = ANY(CAST(:ids AS uuid[]))")

_AGAIN = text("""
UPDATE rejections r SET code = t.code, reason = t.reason, times = times + 1
FROM unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[]), CAST(:reasons AS text[])) AS t(id, code, reason)
WHERE r.id = t.id
""")

_FORGET = text("""
DELETE FROM rejections WHERE id IN (
    SELECT id FROM rejections WHERE last_seen_at < :before LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")


class PostgresRejections:
    """Rejections in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, rejections: Sequence[Rejection]) -> None:
        """Keep them; one that is kept already is counted once more, and is open again where it was replayed."""
        rows = {each.id: each for each in rejections}  # a message twice in one request is one
        if not rows:
            return
        ordered = [rows[key] for key in sorted(rows)]
        await self._tx.execute(_ADD, _parameters(ordered))

    async def held(self, keys: Collection[str]) -> dict[str, Rejection]:
        """Of these messages those that wait for their account, by message key."""
        if not keys:
            return {}
        rows = await self._tx.execute(_HELD, {"keys": list(keys)})
        return {each.message_key: each for each in map(_rejection, rows)}

    async def release(self, persons: Collection[str], limit: int) -> Sequence[Rejection]:
        """Take out the oldest so many of the messages that wait for these persons, in their order."""
        if not persons:
            return []
        rows = await self._tx.execute(_RELEASE, {"persons": sorted(persons), "limit": limit})
        return [_rejection(row) for row in rows]

    async def waiting_in_vain(self, limit: int) -> Sequence[str]:
        """So many persons for whom messages wait although it is known which account they are in."""
        return [row.person for row in await self._tx.execute(_IN_VAIN, {"limit": limit})]

    async def rename(self, persons: Mapping[str, str]) -> None:
        """What waited for one name waits for another from now on."""
        if persons:
            await self._tx.execute(_RENAME, {"gone": list(persons), "stays": list(persons.values())})

    async def claim(self, selection: Selection, after: str, now: datetime, limit: int) -> Sequence[Rejection]:
        """Listed ones to try again, in the order of their ids behind `after`; nobody else gets them meanwhile."""
        rows = await self._tx.execute(
            _CLAIM,
            {
                "now": now,
                "after": after,
                "ids": list(selection.ids) or None,
                "source": selection.source,
                "code": selection.code,
                "limit": limit,
            },
        )
        return [_rejection(row) for row in rows]

    async def replayed(self, ids: Collection[str], now: datetime) -> None:
        """These were taken this time."""
        if ids:
            await self._tx.execute(_REPLAYED, {"ids": list(ids), "now": now})

    async def refused_again(self, reasons: Mapping[str, tuple[str, str]]) -> None:
        """These were not, for this code and reason."""
        if reasons:
            codes, sentences = zip(*reasons.values(), strict=True)
            await self._tx.execute(
                _AGAIN, {"ids": list(reasons), "codes": list(codes), "reasons": list(sentences)}
            )

    async def forget(self, before: datetime, limit: int) -> int:
        """Drop so many that nobody cared for since `before`; how many they were."""
        return int((await self._tx.execute(_FORGET, {"before": before, "limit": limit})).rowcount)


def _parameters(rows: Sequence[Rejection]) -> dict[str, Any]:
    return {
        "ids": [each.id for each in rows],
        "message_keys": [each.message_key for each in rows],
        "message_ids": [each.message_id for each in rows],
        "sources": [each.source for each in rows],
        "formats": [each.format for each in rows],
        "codes": [each.code for each in rows],
        "reasons": [each.reason for each in rows],
        "bodies": [each.body for each in rows],
        "contexts": [msgspec.json.encode(each.context).decode() for each in rows],
        "digests": [each.digest for each in rows],
        "persons": [each.person for each in rows],
        "drafts": [each.drafts for each in rows],
        "received": [each.received_at for each in rows],
        "listed": [each.listed_from for each in rows],
    }


def _rejection(row: Any) -> Rejection:
    return Rejection(**{**row._mapping, "id": str(row.id), "message_key": str(row.message_key)})
