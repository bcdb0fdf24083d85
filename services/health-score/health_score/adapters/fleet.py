"""The fleet's figures: a few aggregates over the accounts that pass, all of one instant.

Each reads every account that passes. Movements look once into the history of each; drivers unpack two assessments of each account
in a sample.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.web.rows import Rows
from health_score.adapters.account_filters import joins, past, where
from health_score.adapters.history import decode_detail
from health_score.application.account_query import AccountFilters
from health_score.application.fleet import (
    BandCount,
    By,
    FleetRead,
    Group,
    Grouping,
    Movement,
    PartsMoved,
    Totals,
)

MOST_SAMPLED = 20_000
"""About so many accounts are looked into for drivers; of fewer, all are."""
_MOST_GROUPS = 200

_TOTALS = """
    count(*) AS accounts, count(*) FILTER (WHERE a.score IS NULL) AS without_score, avg(a.score) AS average,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY a.score) AS median, avg(a.coverage) AS coverage,
    coalesce(sum(b.arr), 0) AS arr, count(*) FILTER (WHERE a.overridden) AS overrides
"""
_BAND = "SELECT a.band, count(*) AS accounts, coalesce(sum(b.arr), 0) AS arr"
_BUCKET = "SELECT least(floor(a.score / 10), 9)::int AS bucket, count(*) AS accounts"
_THEN = "CASE WHEN was.moved THEN was.band ELSE a.band END"

# The hash of the id picks a sample that stays the same from one question to the next.
_PARTS = """
SELECT before.detail AS before, after.detail AS after FROM (
    SELECT a.account_id {passing} AND hashtextextended(a.account_id, 0) % :every = 0
) picked
LEFT JOIN LATERAL (SELECT h.detail FROM history h WHERE h.account_id = picked.account_id AND h.known_at <= :since
    ORDER BY h.known_at DESC, h.revision DESC LIMIT 1) before ON true
LEFT JOIN LATERAL (SELECT h.detail FROM history h WHERE h.account_id = picked.account_id AND h.known_at > :since
    ORDER BY h.known_at DESC, h.revision DESC LIMIT 1) after ON true
"""


class PostgresFleet:
    """FleetReads on PostgreSQL."""

    def __init__(self, engine: AsyncEngine, *, most_sampled: int = MOST_SAMPLED) -> None:
        self._engine = engine
        self._most_sampled = most_sampled

    async def fleet(
        self, filters: AccountFilters, rows: Rows, by: Collection[By], since: datetime, now: datetime
    ) -> FleetRead:
        """All figures of one instant."""
        condition, parameters = where(filters, rows, now)
        read = _Reading(
            f"FROM accounts a {joins(filters)}", f"WHERE {condition}", {**parameters, "since": since}
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            totals = Totals(**(await read.rows(connection, f"SELECT {_TOTALS}"))[0])
            movements, changed = await read.movements(connection)
            moved = await read.parts(connection, every=-(-totals.accounts // self._most_sampled) or 1)
            return FleetRead(
                totals=totals,
                bands=await read.bands(connection),
                buckets=await read.buckets(connection),
                groups=[await read.grouping(connection, each) for each in by],
                movements=movements,
                changed=changed,
                moved=moved,
            )


class _Reading:
    """The accounts that pass, to be asked several things of."""

    def __init__(self, source: str, passing: str, parameters: Mapping[str, Any]) -> None:
        self._source = source
        self._passing = passing
        self._parameters = parameters

    async def rows(
        self, connection: AsyncConnection, select: str, behind: str = "", join: str = "", **more: Any
    ) -> list[dict[str, Any]]:
        """What `select` gives of them; `behind` is what follows the condition."""
        sql = f"{select} {self._source} {join} {self._passing} {behind}"
        found = await connection.execute(text(sql), {**self._parameters, **more})
        return [dict(each._mapping) for each in found]

    async def bands(self, connection: AsyncConnection) -> list[BandCount]:
        """By band."""
        return [BandCount(**each) for each in await self.rows(connection, _BAND, "GROUP BY 1 ORDER BY 1")]

    async def buckets(self, connection: AsyncConnection) -> dict[int, int]:
        """By ten points."""
        found = await self.rows(connection, _BUCKET, "AND a.score IS NOT NULL GROUP BY 1")
        return {each["bucket"]: each["accounts"] for each in found}

    async def grouping(self, connection: AsyncConnection, by: By) -> Grouping:
        """By an attribute: the largest groups."""
        largest = "GROUP BY 1 ORDER BY accounts DESC, value NULLS LAST"
        found = await self.rows(connection, f"SELECT b.{by} AS value, {_TOTALS}", largest)
        bands: dict[str | None, list[BandCount]] = {}
        counted = _BAND.replace("SELECT", f"SELECT b.{by} AS value,")
        for each in await self.rows(connection, counted, "GROUP BY 1, 2 ORDER BY 1, 2"):
            bands.setdefault(each.pop("value"), []).append(BandCount(**each))
        groups = []
        for each in found[:_MOST_GROUPS]:
            value = each.pop("value")
            groups.append(Group(value=value, totals=Totals(**each), bands=bands.get(value, [])))
        beyond = sum(each["accounts"] for each in found[_MOST_GROUPS:])
        return Grouping(by=by, groups=groups, accounts_beyond=beyond)

    async def movements(self, connection: AsyncConnection) -> tuple[list[Movement], int]:
        """From band to band, the most accounts first; and how many accounts changed, to another band or not."""
        select = f"SELECT {_THEN} AS before, a.band AS after, count(*) AS accounts"
        grouped = "AND was.moved GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        found = await self.rows(connection, select, grouped, join=past("was", "since"))
        counts = [Movement(**each) for each in found]
        moves = [each for each in counts if each.before != each.after]
        return moves, sum(each.accounts for each in counts)

    async def parts(self, connection: AsyncConnection, *, every: int) -> PartsMoved:
        """How the parts moved of those that changed and were there before; one account of `every` is looked into."""
        moved = PartsMoved()
        sql = _PARTS.format(passing=f"{self._source} {self._passing}")
        streamed = await connection.stream(text(sql), {**self._parameters, "every": every})
        async for row in streamed:
            moved.sampled += 1
            if row.before is not None and row.after is not None:
                moved.add(decode_detail(row.before), decode_detail(row.after))
        return moved
