"""The tables `runs` and `run_steps`: where each run stands, and what became of its steps."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import insert, names_of, parameters, unnested
from playbooks.domain.run import Run, StepResult

RUN_COLUMNS = ", ".join(f"runs.{name}" for name in names_of(Run))
STEP_COLUMNS = ", ".join(names_of(StepResult))

_CHANGING = (
    "status", "position", "wake_at", "due_at", "failures", "error", "ended_at", "reason", "exit_crossing_id",
)  # fmt: skip

_LOCK_ACTIVE = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE status = 'active' AND account_id = ANY(CAST(:accounts AS text[])) ORDER BY id FOR UPDATE
""")  # noqa: S608  (names of our own fields, here and below)

_LAST_STARTS = text("""
SELECT account_id, playbook, max(started_at) AS started_at FROM runs
WHERE account_id = ANY(CAST(:accounts AS text[])) AND position > 0 GROUP BY account_id, playbook
""")

_TAKE_DUE = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE status = 'active' AND due_at <= :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_TAKE = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE status = 'active' AND due_at <= :now AND id = :id FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_NEXT_DUE = text("SELECT min(due_at) FROM runs WHERE status = 'active'")

_ADD = text(insert("runs", Run))

_UPDATE = text(f"""
UPDATE runs SET {", ".join(f"{name} = t.{name}" for name in _CHANGING)}
FROM {unnested(("id", *_CHANGING))} WHERE runs.id = t.id
""")  # noqa: S608

_RECORD = text(insert("run_steps", StepResult))


def run_of(row: Row[Any]) -> Run:
    """The run in a row of RUN_COLUMNS."""
    return Run(**row._mapping)


def result_of(row: Row[Any]) -> StepResult:
    """The result in a row of STEP_COLUMNS."""
    return StepResult(**row._mapping)


class PostgresRuns:
    """Implements ports.Runs."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def lock_active(self, account_ids: Collection[str]) -> list[Run]:
        """The active runs of the accounts, locked until the transaction ends."""
        return await self._runs(_LOCK_ACTIVE, accounts=list(account_ids))

    async def last_starts(self, account_ids: Collection[str]) -> dict[tuple[str, str], datetime]:
        """Account and playbook → when the last run that took a step was started."""
        rows = await self._tx.execute(_LAST_STARTS, {"accounts": list(account_ids)})
        return {(row.account_id, row.playbook): row.started_at for row in rows}

    async def take_due(self, now: datetime, limit: int) -> list[Run]:
        """The longest due active runs that nobody else has in hand, locked until the transaction ends."""
        return await self._runs(_TAKE_DUE, now=now, limit=limit)

    async def take(self, run_id: str, now: datetime) -> list[Run]:
        """This run, locked, if it is still due and nobody else has it in hand; otherwise none."""
        return await self._runs(_TAKE, id=run_id, now=now)

    async def next_due(self) -> datetime | None:
        """When the next active run is due."""
        found: datetime | None = await self._tx.scalar(_NEXT_DUE)
        return found

    async def add(self, runs: Sequence[Run]) -> None:
        """Write new runs; at most one of an account and playbook may be active."""
        if runs:
            await self._tx.execute(_ADD, parameters(runs, names_of(Run)))

    async def update(self, runs: Sequence[Run]) -> None:
        """Write the new state of locked runs."""
        if runs:
            await self._tx.execute(_UPDATE, parameters(runs, ("id", *_CHANGING)))

    async def record(self, results: Sequence[StepResult]) -> None:
        """Write step results; each can be written once only."""
        if results:
            await self._tx.execute(_RECORD, parameters(results, names_of(StepResult)))

    async def _runs(self, query: TextClause, **values: object) -> list[Run]:
        return [run_of(row) for row in await self._tx.execute(query, values)]
