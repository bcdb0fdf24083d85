"""The queries behind the REST API's lists of runs and entries, each on a connection of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.postgres.entries import ENTRY_COLUMNS
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.reads_story import read_story
from playbooks.adapters.postgres.runs import RUN_COLUMNS, run_of
from playbooks.adapters.postgres.store import transient_told
from playbooks.application.model import Entry
from playbooks.application.reads import After, EntryFilter, RunFilter, RunStory
from playbooks.domain.run import Run

# Only what is asked for stands in the query, so that each combination gets the plan that suits it.
_RUN_CLAUSES = {
    "account_id": "account_id = :account_id",
    "playbook": "playbook = :playbook",
    "version": "version = :version",
    "status": "status = :status",
    "purpose": "purpose = :purpose",
    "step": "status = 'active' AND step = :step",
    "awaits": "status = 'active' AND awaits = :awaits",
    "started_from": "started_at >= :started_from",
    "started_to": "started_at < :started_to",
    "crossing_id": "id IN (SELECT run_id FROM entries WHERE crossing_id = :crossing_id)",
}
# In the words of the partial indexes: of millions that have ended, few have failed or are held back.
_SPECIAL_CLAUSES = {
    ("status", "failed"): "status = 'failed' AND failures > 0",
    ("held", True): "held IS NOT NULL",
    ("held", False): "held IS NULL",
    ("failed", True): "failures > 0",
    ("failed", False): "failures = 0",
}
_ENTRY_CLAUSES = {
    "account_id": "account_id = :account_id",
    "playbook": "playbook = :playbook",
    "outcome": "outcome = :outcome",
    "code": "code = :code",
    "since": "decided_at >= :since",
}
_ENTRY_ID = "crossing_id || '/' || playbook"


class PostgresReads:
    """Implements reads.Reads."""

    def __init__(self, engine: AsyncEngine, cache: PlaybookCache) -> None:
        self._engine = engine
        self._cache = cache

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[Run]:
        """Runs by start."""
        given = _given(wanted)
        query = _page(f"SELECT {RUN_COLUMNS} FROM runs", _RUN_CLAUSES, given, "started_at", "id", after)  # noqa: S608
        async with self._connection() as connection:
            rows = await connection.execute(query, {**given, **_after(after), "limit": limit})
            return [run_of(row) for row in rows]

    async def count(self, wanted: RunFilter) -> int:
        """How many runs there are of these."""
        given = _given(wanted)
        where = _where(_clauses(_RUN_CLAUSES, given))
        async with self._connection() as connection:
            found: int = await connection.scalar(text(f"SELECT count(*) FROM runs {where}"), given)  # noqa: S608
            return found

    async def run(self, run_id: str) -> RunStory | None:
        """One run, or None."""
        async with self._connection() as connection:
            return await read_story(connection, self._cache, run_id)

    async def entries(self, wanted: EntryFilter, limit: int, after: After) -> list[Entry]:
        """Entries by decision."""
        given = _given(wanted)
        select = f"SELECT {ENTRY_COLUMNS} FROM entries"  # noqa: S608  (names of our own columns, above as well)
        query = _page(select, _ENTRY_CLAUSES, given, "decided_at", _ENTRY_ID, after)
        async with self._connection() as connection:
            rows = await connection.execute(query, {**given, **_after(after), "limit": limit})
            return [Entry(**row._mapping) for row in rows]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with transient_told():
            async with self._engine.connect() as connection:
                yield connection


def _given(wanted: RunFilter | EntryFilter) -> dict[str, Any]:
    return {name: value for name, value in asdict(wanted).items() if value is not None}


def _page(
    select: str, clauses: Mapping[str, str], given: Mapping[str, Any], at: str, row_id: str, after: After
) -> TextClause:
    """`at` and `row_id` are the sort key, newest first."""
    wanted = _clauses(clauses, given)
    if after is not None:
        wanted.append(f"({at}, {row_id}) < (:after_at, :after_id)")
    return text(f"{select} {_where(wanted)} ORDER BY {at} DESC, {row_id} DESC LIMIT :limit")


def _clauses(clauses: Mapping[str, str], given: Mapping[str, Any]) -> list[str]:
    return [_SPECIAL_CLAUSES.get((name, value)) or clauses[name] for name, value in given.items()]


def _where(clauses: list[str]) -> str:
    return f"WHERE {' AND '.join(clauses)}" if clauses else ""


def _after(after: After) -> dict[str, datetime | str]:
    return {} if after is None else {"after_at": after[0], "after_id": after[1]}
