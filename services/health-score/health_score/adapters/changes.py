"""The change feed on PostgreSQL: history and erasures in the order of their transactions, behind the oldest that still runs."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from health_score.adapters.histories import CHANGE, change_of
from health_score.application.changes_ports import FeedRow, Position

_HEAD = text("SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text)")

_BETWEEN = """(xact, account_id, revision) > (CAST(CAST(:after_xact AS text) AS xid8), :after_id, :after_revision)
    AND (xact, account_id, revision) <= (CAST(CAST(:until_xact AS text) AS xid8), :until_id, :until_revision)
    ORDER BY xact, account_id, revision LIMIT :limit"""

# The head is read first, in a snapshot of its own: whatever was over by then is seen by every later one.
_READ = text(f"""
WITH told AS (SELECT xact, {CHANGE} FROM history WHERE {_BETWEEN}),
    gone AS (SELECT xact, account_id, revision FROM erased WHERE {_BETWEEN}),
    feed AS (
        SELECT false AS erased, told.* FROM told
        UNION ALL
        SELECT true, xact, account_id, revision, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM gone
    )
SELECT feed.*, CAST(feed.xact AS text) AS xact_told, owner, team
FROM feed LEFT JOIN account_attributes USING (account_id)
ORDER BY feed.xact, account_id, feed.revision LIMIT :limit
""")  # noqa: S608


_FIRST = 2  # behind erased and xact


class PostgresFeed:
    """FeedReads on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def head(self) -> Position:
        """Before the oldest transaction that still runs."""
        async with self._engine.connect() as connection:
            return Position(int(await connection.scalar(_HEAD)), "", -1)

    async def read(self, after: Position, until: Position, limit: int) -> list[FeedRow]:
        """The rows behind `after` up to `until`, in order."""
        places = {
            f"{name}_{key}": value
            for name, place in (("after", after), ("until", until))
            for key, value in (
                ("xact", str(place.xact)),
                ("id", place.account_id),
                ("revision", place.revision),
            )
        }
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_READ, {**places, "limit": limit})).all()
        return [_row(row) for row in rows]


def _row(row: Row[Any]) -> FeedRow:
    position = Position(int(row.xact_told), row.account_id, row.revision)
    return FeedRow(position, None if row.erased else change_of(row, _FIRST), row.owner, row.team)
