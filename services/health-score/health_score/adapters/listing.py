"""Lists of accounts by keyset: each page begins behind the last account of the page before, never at a number of rows.

What a page costs at a million accounts: by account_id, score, renewal_date, arr or name it walks an index and reads the page's
own rows, the more of them the fewer pass the filters. By coverage or change it reads every account that passes the filters and
keeps the best. A count reads every account that passes the filters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Integer, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.web.rows import Rows
from health_score.adapters.account_filters import CHANGE, joins, where
from health_score.application.account_query import AccountFilters
from health_score.application.read_ports import ListedRow
from health_score.application.walk import Order, Place

_KEYS = {
    "account_id": "a.account_id", "score": "a.score", "change": CHANGE, "coverage": "a.coverage",
    "name": "b.name", "renewal_date": "b.renewal_date", "arr": "b.arr",
}  # fmt: skip
_TYPES = {"name": "text", "renewal_date": "date"}
_OF_ATTRIBUTES = ("name", "renewal_date", "arr")

# Told after the walk began: by a transaction that its first page did not see.
_LATER = (
    "({0} >= pg_snapshot_xmin(CAST(CAST(:seen AS text) AS pg_snapshot))"
    " AND NOT pg_visible_in_snapshot({0}, CAST(CAST(:seen AS text) AS pg_snapshot)))"
)
_SAME_ATTRIBUTES = f"(b.xact IS NULL OR NOT {_LATER.format('b.xact')})"
_SAME_SCORE = f"""NOT EXISTS (SELECT FROM history l
    WHERE l.account_id = a.account_id AND {_LATER.format("l.xact")} AND {{moved}})"""

# Ids first, so that indexes alone are walked; the wide rows are read for the page only.
_PAGE = """
SELECT p.account_id, p.key, p.change, s.snapshot, pg_current_snapshot()::text AS seen FROM (
    SELECT a.account_id, {key} AS key, {change} AS change FROM accounts a {joins}
    WHERE {where} ORDER BY {order} LIMIT :limit
) p JOIN accounts s ON s.account_id = p.account_id ORDER BY {outer}
"""

# Told in the statement itself: a plan for any limit reads the whole table.
_LIMIT = bindparam("limit", literal_execute=True, type_=Integer)

_Part = Literal["all", "keyed", "keyless"]
"""All accounts by their ids; those with a sort key; those without, which come last."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A list as it is asked for, ready to be put into statements."""

    order: Order
    condition: str
    parameters: Mapping[str, Any]
    joins: str
    change: str


class PostgresListing:
    """AccountLists on PostgreSQL, each page in a connection and a read of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self,
        filters: AccountFilters,
        rows: Rows,
        order: Order,
        after: Place | None,
        limit: int,
        now: datetime,
    ) -> list[ListedRow]:
        """The accounts behind `after`, those without a key last. An account whose key changed since the walk began is left out
        of its further pages, as it may have been shown already; by account_id none ever is."""
        asked = _asked(filters, rows, order, after, now)
        seen = None if after is None else after.seen
        found: list[ListedRow] = []
        async with self._engine.connect() as connection:
            for part, place in _parts(order, after):
                if len(found) == limit:
                    break
                sql, parameters = _statement(asked, part, place, seen, limit - len(found))
                read = await connection.execute(text(sql).bindparams(_LIMIT), parameters)
                found += [ListedRow(**row._mapping) for row in read]
                seen = seen or (found[0].seen if found else None)
        return found

    async def count(self, filters: AccountFilters, rows: Rows, now: datetime) -> int:
        """How many accounts pass."""
        condition, parameters = where(filters, rows, now)
        sql = f"SELECT count(*) FROM accounts a {joins(filters)} WHERE {condition}"  # noqa: S608 - of our own pieces
        async with self._engine.connect() as connection:
            return int(await connection.scalar(text(sql), parameters) or 0)


def _asked(filters: AccountFilters, rows: Rows, order: Order, after: Place | None, now: datetime) -> _Asked:
    condition, parameters = where(filters, rows, now)
    if after is not None and after.compared_with is not None:
        parameters["compared_with"] = after.compared_with
    change = "CAST(NULL AS float8)" if filters.changed_days is None else CHANGE
    return _Asked(order, condition, parameters, joins(filters), change)


def _parts(order: Order, after: Place | None) -> list[tuple[_Part, Place | None]]:
    """What a page is read from, and where in it to begin."""
    if order.key == "account_id":
        return [("all", after)]
    if after is not None and after.key is None:
        return [("keyless", after)]
    return [("keyed", after), ("keyless", None)]


def _statement(
    asked: _Asked, part: _Part, after: Place | None, seen: str | None, limit: int
) -> tuple[str, dict[str, Any]]:
    key, way = _KEYS[asked.order.key], "DESC" if asked.order.descending else "ASC"
    conditions, parameters = [asked.condition], {**asked.parameters, "limit": limit}
    if part != "all":
        conditions.append(f"{key} IS {'NOT ' if part == 'keyed' else ''}NULL")
        if seen is not None:
            conditions.append(_unmoved(asked.order.key))
            parameters["seen"] = seen
    if after is not None:
        conditions.append(_behind(asked.order, part))
        parameters["after_id"] = after.account_id
        if part == "keyed":
            parameters["after_key"] = after.key
    by = ("key", "account_id") if part == "keyed" else ("account_id",)
    sql = _PAGE.format(
        key=key,
        change=asked.change,
        joins=asked.joins,
        where=" AND ".join(conditions),
        order=", ".join(f"{key if each == 'key' else _id(asked.order, part)} {way}" for each in by),
        outer=", ".join(f"p.{each} {way}" for each in by),
    )
    return sql, parameters


def _behind(order: Order, part: _Part) -> str:
    """Compared as rows, so that an index on key and id is entered at the very place."""
    sign = "<" if order.descending else ">"
    if part != "keyed":
        return f"a.account_id {sign} :after_id"
    kind = _TYPES.get(order.key, "float8")
    return f"({_KEYS[order.key]}, {_id(order, part)}) {sign} (CAST(:after_key AS {kind}), :after_id)"


def _id(order: Order, part: _Part) -> str:
    """The account's id where the key is, so that an index has both."""
    return "b.account_id" if part == "keyed" and order.key in _OF_ATTRIBUTES else "a.account_id"


def _unmoved(key: str) -> str:
    """That the key is as it was when the walk began. An account that came in since counts as moved: it had no key."""
    if key in _OF_ATTRIBUTES:
        return _SAME_ATTRIBUTES
    return _SAME_SCORE.format(
        moved="true" if key == "coverage" else "l.score IS DISTINCT FROM l.score_before"
    )
