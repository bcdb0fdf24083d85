"""The tables `runs` and `run_steps`: where each run stands, and what became of its steps."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.errors import ConflictError
from playbooks.adapters.postgres.columns import insert, names_of, parameters, unnested
from playbooks.domain.program import PlainWait
from playbooks.domain.run import Run, StepResult

RUN_COLUMNS = ", ".join(f"runs.{name}" for name in names_of(Run))
STEP_COLUMNS = ", ".join(names_of(StepResult))

_CHANGING = (
    "status", "position", "step", "awaits", "wake_at", "due_at", "held", "held_since", "lease_until", "fence", "failures",
    "error", "ended_at", "reason", "exit_crossing_id",
)  # fmt: skip

_LOCK_ACTIVE = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE status = 'active' AND account_id = ANY(CAST(:accounts AS text[])) ORDER BY id FOR UPDATE
""")  # noqa: S608  (names of our own fields, here and below)

_LOCK = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE")  # noqa: S608

_STARTS_SINCE = text("""
SELECT playbook, count(*) AS starts FROM runs
WHERE playbook = ANY(CAST(:playbooks AS text[])) AND started_at > :since GROUP BY playbook
""")

# `*` is the switch for everything. With nothing paused, which is nearly always, the second half costs nothing.
_RUNNING = "NOT EXISTS (SELECT FROM switches WHERE state = 'paused' AND name IN ('*', runs.playbook))"

_NO_CALL = "awaits IS DISTINCT FROM 'call'"

_DUE = text(f"""
SELECT id FROM runs WHERE status = 'active' AND due_at <= :now AND {_NO_CALL} AND suspects IS NULL AND {_RUNNING}
ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_DUE_SUSPECTS = text(f"""
SELECT id FROM runs
WHERE status = 'active' AND due_at <= :now AND {_NO_CALL} AND {_RUNNING} AND suspects = (
    SELECT suspects FROM runs WHERE status = 'active' AND due_at <= :now AND {_NO_CALL} AND suspects IS NOT NULL AND {_RUNNING}
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
ORDER BY due_at FOR UPDATE SKIP LOCKED
""")  # noqa: S608

# What the interpreter does at the end of a plain wait, for thousands of runs in one go.
_END_WAITS = text(f"""
WITH over AS (
    SELECT runs.id, runs.position, runs.step, runs.wake_at, waits.after FROM runs
    JOIN unnest(CAST(:playbooks AS text[]), CAST(:versions AS int[]), CAST(:steps AS text[]), CAST(:afters AS text[]))
        AS waits(playbook, version, step, after) USING (playbook, version, step)
    WHERE status = 'active' AND due_at <= :now AND awaits = 'time' AND wake_at <= :now AND suspects IS NULL AND {_RUNNING}
    ORDER BY due_at LIMIT :limit FOR UPDATE OF runs SKIP LOCKED
), ended AS (
    UPDATE runs SET position = over.position + 1, step = over.after, awaits = NULL, wake_at = NULL, due_at = :now,
        failures = 0, error = NULL
    FROM over WHERE runs.id = over.id
)
INSERT INTO run_steps (run_id, position, step, kind, at, outcome, until)
SELECT id, position, step, 'wait', CAST(:now AS timestamptz), 'waited', wake_at FROM over RETURNING until
""")  # noqa: S608

_TAKE = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE id = ANY(CAST(:ids AS text[])) AND status = 'active' AND due_at <= :now AND {_NO_CALL}
ORDER BY due_at FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_TAKE_CALLS = text(f"""
SELECT {RUN_COLUMNS} FROM runs WHERE status = 'active' AND due_at <= :now AND awaits = 'call' AND {_RUNNING}
ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608

_TAKE_BACK = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE id = :id AND fence = :fence AND status = 'active' AND lease_until IS NOT NULL FOR UPDATE
""")  # noqa: S608

_NEXT_DUE = text(f"SELECT min(due_at) FROM runs WHERE status = 'active' AND {_RUNNING}")  # noqa: S608

_ADD = text(insert("runs", Run))

# Whoever has ended a step has shown that the step kills nobody.
_UPDATE = text(f"""
UPDATE runs SET suspects = CASE WHEN runs.position = t.position THEN runs.suspects END,
    {", ".join(f"{name} = t.{name}" for name in _CHANGING)}
FROM {unnested(("id", *_CHANGING))} WHERE runs.id = t.id
""")  # noqa: S608

_RECORD = text(insert("run_steps", StepResult))

_RESULTS = text(f"""
SELECT {STEP_COLUMNS} FROM run_steps WHERE run_id = ANY(CAST(:ids AS text[])) ORDER BY position
""")  # noqa: S608

# In the order in which all lock runs, so that no two wait for each other.
_WAKE = text("""
WITH waiting AS (
    SELECT id FROM runs
    WHERE status = 'active' AND awaits IN ('condition', 'hold') AND account_id = ANY(CAST(:accounts AS text[])) AND due_at > :now
    ORDER BY id FOR UPDATE
)
UPDATE runs SET due_at = :now FROM waiting WHERE runs.id = waiting.id
""")


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

    async def starts_since(self, playbooks: Collection[str], since: datetime) -> Mapping[str, int]:
        """How many runs of each playbook were started after `since`."""
        if not playbooks:
            return {}
        rows = await self._tx.execute(_STARTS_SINCE, {"playbooks": list(playbooks), "since": since})
        return {row.playbook: row.starts for row in rows}

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of the longest due active runs that nobody else has in hand."""
        return list(await self._tx.scalars(_DUE, {"now": now, "limit": limit}))

    async def due_suspects(self, now: datetime) -> list[str]:
        """The ids of those of one group that are to be taken apart from the others, or none."""
        return list(await self._tx.scalars(_DUE_SUSPECTS, {"now": now}))

    async def end_waits(self, waits: Sequence[PlainWait], now: datetime, limit: int) -> Sequence[datetime]:
        """End up to `limit` of these waits where they are over, all at once; when each was to end."""
        wanted = {
            "playbooks": [each.playbook for each in waits],
            "versions": [each.version for each in waits],
            "steps": [each.step for each in waits],
            "afters": [each.after for each in waits],
        }
        return list(await self._tx.scalars(_END_WAITS, wanted | {"now": now, "limit": limit}))

    async def take(self, run_ids: Collection[str], now: datetime) -> list[Run]:
        """Those of these runs that are still due, and that nobody else has in hand, locked."""
        return await self._runs(_TAKE, ids=list(run_ids), now=now)

    async def take_calls(self, now: datetime, limit: int) -> list[Run]:
        """The longest due runs with a call to make, locked."""
        return await self._runs(_TAKE_CALLS, now=now, limit=limit)

    async def lock(self, run_ids: Collection[str]) -> list[Run]:
        """Those of these runs that there are, ended or not, locked until the transaction ends."""
        return await self._runs(_LOCK, ids=list(run_ids))

    async def take_back(self, run_id: str, fence: int) -> list[Run]:
        """This run, locked, if it is still out under the claim with this fence; otherwise none."""
        return await self._runs(_TAKE_BACK, id=run_id, fence=fence)

    async def next_due(self) -> datetime | None:
        """When the next active run of a playbook that is not paused is due."""
        found: datetime | None = await self._tx.scalar(_NEXT_DUE)
        return found

    async def add(self, runs: Sequence[Run]) -> None:
        """Write new runs; at most one of an account and purpose may be active."""
        if runs:
            await self._tx.execute(_ADD, parameters(runs, names_of(Run)))

    async def update(self, runs: Sequence[Run]) -> None:
        """Write the new state of locked runs. ConflictError where one becomes active beside another of its purpose."""
        if not runs:
            return
        try:
            await self._tx.execute(_UPDATE, parameters(runs, ("id", *_CHANGING)))
        except IntegrityError as error:
            raise ConflictError(
                "Another run of the account and purpose has begun meanwhile: look at it, and leave this one ended."
            ) from error

    async def record(self, results: Sequence[StepResult]) -> None:
        """Write step results; each can be written once only."""
        if results:
            await self._tx.execute(_RECORD, parameters(results, names_of(StepResult)))

    async def results(self, run_ids: Collection[str]) -> Mapping[str, Mapping[str, StepResult]]:
        """Run → step → what became of it."""
        found: dict[str, dict[str, StepResult]] = defaultdict(dict)
        if run_ids:
            for row in await self._tx.execute(_RESULTS, {"ids": list(run_ids)}):
                found[row.run_id][row.step] = result_of(row)
        return found

    async def wake(self, account_ids: Collection[str], now: datetime) -> int:
        """Have the accounts' runs that wait for a condition or are held back looked at now; how many."""
        if not account_ids:
            return 0
        return int((await self._tx.execute(_WAKE, {"accounts": list(account_ids), "now": now})).rowcount)

    async def _runs(self, query: TextClause, **values: object) -> list[Run]:
        return [run_of(row) for row in await self._tx.execute(query, values)]
