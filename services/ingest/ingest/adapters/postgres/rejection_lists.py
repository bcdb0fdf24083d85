"""The table of rejections as people see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ingest.adapters.postgres.connecting import connected
from ingest.application.rejection_views import (
    ListKey,
    RejectionCount,
    RejectionFilter,
    RejectionView,
)

_COLUMNS = """id, source, format, code, reason, message_id, times, received_at, last_seen_at, replayed_at, context, body,
    listed_from"""

_CONDITIONS = {
    "source": "source = :source",
    "code": "code = :code",
    "format": "format = :format",
    "since": "received_at >= :since",
    "until": "received_at < :until",
}
_STATUSES = {"open": ["replayed_at IS NULL"], "replayed": ["replayed_at IS NOT NULL"], "all": []}

_ONE = text(f"SELECT {_COLUMNS} FROM rejections WHERE id = CAST(:id AS uuid) AND listed_from <= :now")  # noqa: S608

_COUNTS = text("""
SELECT source, code, count(*) AS rejections, sum(times)::bigint AS times, max(last_seen_at) AS last_seen_at
FROM rejections WHERE replayed_at IS NULL AND listed_from <= :now
GROUP BY source, code ORDER BY rejections DESC, source, code LIMIT 1000
""")


class PostgresRejectionLists:
    """RejectionReads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, wanted: RejectionFilter, now: datetime, *, before: ListKey | None, limit: int
    ) -> Sequence[tuple[ListKey, RejectionView]]:
        """Rejections with the keys that pages are cut by, the latest first."""
        asked = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
        conditions = ["listed_from <= :now", *_STATUSES[wanted.status], *map(_CONDITIONS.__getitem__, asked)]
        parameters = {**asked, "now": now, "limit": limit}
        if before is not None:
            conditions.append("(listed_from, id) < (:listed_from, CAST(:id AS uuid))")
            parameters |= zip(("listed_from", "id"), before, strict=True)
        # Only the conditions that are asked for, so that each combination has its own plan.
        query = f"SELECT {_COLUMNS} FROM rejections WHERE {' AND '.join(conditions)}"  # noqa: S608
        query += " ORDER BY listed_from DESC, id DESC LIMIT :limit"
        async with connected(self._engine) as connection:
            rows = await connection.execute(text(query), parameters)
            return [((row.listed_from, str(row.id)), _view(row)) for row in rows]

    async def one(self, id: str, now: datetime) -> RejectionView | None:
        """The rejection of that id."""
        async with connected(self._engine) as connection:
            row = (await connection.execute(_ONE, {"id": id, "now": now})).one_or_none()
        return None if row is None else _view(row)

    async def counts(self, now: datetime) -> Sequence[RejectionCount]:
        """How many are open, by source and code, most first; the thousand greatest counts at most."""
        async with connected(self._engine) as connection:
            rows = await connection.execute(_COUNTS, {"now": now})
            return [RejectionCount(**row._mapping) for row in rows]


def _view(row: Row[Any]) -> RejectionView:
    fields = {name: value for name, value in row._mapping.items() if name != "listed_from"}
    return RejectionView(**fields | {"id": str(row.id), "body": _told(row.body)})


def _told(body: bytes) -> Any:
    """The message as JSON, to be written as it came, else as text."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")
    return msgspec.Raw(body)
