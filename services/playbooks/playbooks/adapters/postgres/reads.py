"""The queries behind the REST API, each on a connection of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.definitions import decode_definition
from playbooks.adapters.postgres.crossings import PostgresCrossings
from playbooks.adapters.postgres.entries import ENTRY_COLUMNS
from playbooks.adapters.postgres.playbooks import PlaybookCache, PostgresPlaybooks
from playbooks.adapters.postgres.runs import RUN_COLUMNS, STEP_COLUMNS, result_of, run_of
from playbooks.adapters.postgres.store import transient_told
from playbooks.adapters.postgres.tasks import TASK_COLUMNS
from playbooks.application.model import Entry, Task
from playbooks.application.reads import After, PlaybookVersion, RunFilter, RunStory, TaskFilter
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run

_AFTER = "(CAST(:at AS timestamptz) IS NULL OR ({at}, {id}) < (:at, :id))"

_RUNS = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
  AND (CAST(:playbook AS text) IS NULL OR playbook = :playbook)
  AND (CAST(:status AS text) IS NULL OR status = :status)
  AND {_AFTER.format(at="started_at", id="id")}
ORDER BY started_at DESC, id DESC LIMIT :limit
""")  # noqa: S608  (names of our own columns)

_RUN = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE id = :id")  # noqa: S608
_STEPS = text(f"SELECT {STEP_COLUMNS} FROM run_steps WHERE run_id = :id ORDER BY position")  # noqa: S608

_TASKS = text(f"""
SELECT {TASK_COLUMNS} FROM tasks
WHERE (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
  AND (CAST(:owner AS text) IS NULL OR owner = :owner)
  AND (CAST(:status AS text) IS NULL OR status = :status)
  AND {_AFTER.format(at="created_at", id="id")}
ORDER BY created_at DESC, id DESC LIMIT :limit
""")  # noqa: S608

_TASK = text(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id = :id")  # noqa: S608

_ENTRIES = text(f"""
SELECT {ENTRY_COLUMNS} FROM entries
WHERE (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
  AND {_AFTER.format(at="decided_at", id="crossing_id || '/' || playbook")}
ORDER BY decided_at DESC, crossing_id || '/' || playbook DESC LIMIT :limit
""")  # noqa: S608

_PLAYBOOKS = text("""
SELECT name, version, title, active, hash, created_at, definition::text AS definition
FROM playbooks ORDER BY name, version DESC
""")


class PostgresReads:
    """Implements reads.Reads."""

    def __init__(self, engine: AsyncEngine, cache: PlaybookCache) -> None:
        self._engine = engine
        self._cache = cache

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[tuple[Run, Definition]]:
        """Runs by start, with what they follow."""
        async with self._connection() as connection:
            rows = await connection.execute(_RUNS, {**asdict(wanted), "limit": limit, **_after(after)})
            found = [run_of(row) for row in rows]
            keys = {(run.playbook, run.version) for run in found}
            playbooks = await PostgresPlaybooks(connection, self._cache).load(keys)
        return [(run, playbooks[run.playbook, run.version].definition) for run in found]

    async def run(self, run_id: str) -> RunStory | None:
        """One run, or None."""
        async with self._connection() as connection:
            row = (await connection.execute(_RUN, {"id": run_id})).one_or_none()
            return None if row is None else await self._story(connection, run_of(row))

    async def _story(self, connection: AsyncConnection, run: Run) -> RunStory:
        key = (run.playbook, run.version)
        playbooks = await PostgresPlaybooks(connection, self._cache).load([key])
        ids = [each for each in (run.crossing_id, run.exit_crossing_id) if each is not None]
        crossings = await PostgresCrossings(connection).load(ids)
        exit_crossing = crossings.get(run.exit_crossing_id) if run.exit_crossing_id else None
        steps = await connection.execute(_STEPS, {"id": run.id})
        return RunStory(
            run=run,
            definition=playbooks[key].definition,
            crossing=crossings[run.crossing_id].crossing,
            exit_crossing=exit_crossing.crossing if exit_crossing else None,
            results=[result_of(row) for row in steps],
        )

    async def tasks(self, wanted: TaskFilter, limit: int, after: After) -> list[Task]:
        """Tasks by creation."""
        async with self._connection() as connection:
            rows = await connection.execute(_TASKS, {**asdict(wanted), "limit": limit, **_after(after)})
            return [Task(**row._mapping) for row in rows]

    async def task(self, task_id: str) -> Task | None:
        """One task, or None."""
        async with self._connection() as connection:
            row = (await connection.execute(_TASK, {"id": task_id})).one_or_none()
            return None if row is None else Task(**row._mapping)

    async def entries(self, account_id: str | None, limit: int, after: After) -> list[Entry]:
        """Entries by decision."""
        async with self._connection() as connection:
            rows = await connection.execute(
                _ENTRIES, {"account_id": account_id, "limit": limit, **_after(after)}
            )
            return [Entry(**row._mapping) for row in rows]

    async def playbooks(self) -> list[PlaybookVersion]:
        """All versions, by name and falling version."""
        async with self._connection() as connection:
            rows = await connection.execute(_PLAYBOOKS)
            return [
                PlaybookVersion(**{**row._mapping, "definition": decode_definition(row.definition)})
                for row in rows
            ]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with transient_told():
            async with self._engine.connect() as connection:
                yield connection


def _after(after: After) -> dict[str, datetime | str | None]:
    at, row_id = after or (None, None)
    return {"at": at, "id": row_id}
