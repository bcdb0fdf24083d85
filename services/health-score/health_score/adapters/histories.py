"""Reads what was told: histories, the changes of the model, and crossings. Any replica answers for any account."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from health_score.adapters import model_changes
from health_score.adapters.history import decode_detail
from health_score.adapters.visible import visible
from health_score.application.explaining_ports import Change, CrossingRow, CrossingsAsked, Mark, Told
from health_score.application.model_ports import ModelChange
from health_score.domain.evaluation import CauseKind

_FIELDS = tuple(Change.__dataclass_fields__)
CHANGE = ", ".join(_FIELDS)
"""The columns of a change."""

_CHUNK = 2_000

_AT = text(
    f"SELECT {CHANGE}, detail FROM history WHERE account_id = :id AND known_at <= :time"  # noqa: S608
    " ORDER BY known_at DESC, revision DESC LIMIT 1"
)
_FIRST = text("SELECT min(known_at) FROM history WHERE account_id = :id")
_BEFORE = text(
    f"SELECT {CHANGE}, detail FROM history WHERE account_id = :id AND revision < :revision"  # noqa: S608
    " ORDER BY revision DESC LIMIT 1"
)
_PAGE = text(
    f"SELECT {CHANGE}, detail FROM history"  # noqa: S608
    " WHERE account_id = :id AND revision > :after AND known_at >= :start AND known_at < :end"
    " ORDER BY revision LIMIT :limit"
)
_MARKS = text("""
SELECT known_at, score, band, cause, scorecard, version FROM history
WHERE account_id = :id AND known_at >= :start AND known_at < :end ORDER BY known_at, revision
""")
_BY_CAUSE = text("""
SELECT cause, sum(score - score_before) AS points FROM history
WHERE account_id = :id AND revision > :after AND known_at <= :until
GROUP BY cause HAVING sum(score - score_before) IS NOT NULL
""")


class PostgresHistories:
    """HistoryReads on PostgreSQL, each query in a connection of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def at(self, account_id: str, time: datetime) -> Told | None:
        """The last change known by `time`."""
        return _told(await self._rows(_AT, id=account_id, time=time))

    async def first(self, account_id: str) -> datetime | None:
        """When anything of the account was known first."""
        [row] = await self._rows(_FIRST, id=account_id)
        found: datetime | None = row[0]
        return found

    async def before(self, account_id: str, revision: int) -> Told | None:
        """The last change before this one."""
        return _told(await self._rows(_BEFORE, id=account_id, revision=revision))

    async def page(
        self, account_id: str, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Told]:
        """The changes known at start ≤ t < end behind the revision `after`, in the order of revisions."""
        rows = await self._rows(_PAGE, id=account_id, start=start, end=end, after=after, limit=limit)
        return [Told(change_of(row), decode_detail(row.detail)) for row in rows]

    async def marks(self, account_id: str, start: datetime, end: datetime) -> AsyncIterator[Mark]:
        """The changes known at start ≤ t < end, in the order of time; however many there are, a few are held at once."""
        async with self._engine.connect() as connection:
            asked = {"id": account_id, "start": start, "end": end}
            found = await connection.stream(_MARKS, asked, execution_options={"yield_per": _CHUNK})
            async for row in found:
                yield Mark(row.known_at, row.score, row.band, row.cause, row.scorecard, row.version)

    async def by_cause(self, account_id: str, after: int, until: datetime) -> Mapping[CauseKind, float]:
        """By cause, the points of score that the changes behind the revision `after` brought up to and at `until`."""
        rows = await self._rows(_BY_CAUSE, id=account_id, after=after, until=until)
        return {row.cause: row.points for row in rows}

    async def model_changes(self, start: datetime, end: datetime) -> list[ModelChange]:
        """The changes of the model at start ≤ t ≤ end, oldest first."""
        async with self._engine.connect() as connection:
            return await model_changes.read_between(connection, start, end)

    async def crossings(
        self, asked: CrossingsAsked, before: tuple[datetime, int, str] | None, limit: int
    ) -> list[CrossingRow]:
        """Crossings, the newest first, from behind the time and id `before` on."""
        statement, parameters = _crossings(asked, before)
        rows = await self._rows(text(statement), **parameters, limit=limit)
        return [CrossingRow(str(row.id), row.occurred_at, row.revision, row.crossing) for row in rows]

    async def _rows(self, statement: Any, **parameters: Any) -> list[Row[Any]]:
        async with self._engine.connect() as connection:
            return list((await connection.execute(statement, parameters)).all())


def _crossings(asked: CrossingsAsked, before: tuple[datetime, int, str] | None) -> tuple[str, dict[str, Any]]:
    """Only the conditions that are asked for, so that the planner sees which index serves."""
    condition, parameters = visible(asked.rows, "crossings.account_id")
    conditions = [condition]
    told: dict[str, Any] = {**parameters}
    for name in ("account_id", "threshold", "direction"):
        if (value := getattr(asked, name)) is not None:
            conditions.append(f"{name} = :{name}")
            told[name] = value
    if before is not None:
        conditions.append(
            "(occurred_at, revision, id) < (:before_at, :before_revision, CAST(:before_id AS uuid))"
        )
        told |= {"before_at": before[0], "before_revision": before[1], "before_id": before[2]}
    return (
        f"SELECT id, occurred_at, revision, crossing FROM crossings WHERE {' AND '.join(conditions)}"  # noqa: S608
        " ORDER BY occurred_at DESC, revision DESC, id DESC LIMIT :limit",
        told,
    )


def change_of(row: Row[Any], first: int = 0) -> Change:
    """A change from a row that holds CHANGE from its column `first` on."""
    return Change(**dict(zip(_FIELDS, row[first:], strict=False)))


def _told(rows: list[Row[Any]]) -> Told | None:
    return Told(change_of(rows[0]), decode_detail(rows[0].detail)) if rows else None
