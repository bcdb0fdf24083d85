"""One run with all that is known of it, gathered over the tables it left its traces in."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.adapters.postgres.accounts import PostgresAccounts
from playbooks.adapters.postgres.columns import names_of
from playbooks.adapters.postgres.crossings import PostgresCrossings
from playbooks.adapters.postgres.playbooks import PlaybookCache, PostgresPlaybooks
from playbooks.adapters.postgres.runs import RUN_COLUMNS, STEP_COLUMNS
from playbooks.application.model import EVERYTHING, Approval, Audited, Switch, Task
from playbooks.application.reads import RunStory
from playbooks.domain.run import Run, StepResult
from playbooks.domain.trial import Trial

RowT = TypeVar("RowT")


def _columns(kind: type[Any]) -> str:
    return ", ".join(names_of(kind))


_RUN = text(f"SELECT {RUN_COLUMNS}, suspects IS NOT NULL AS suspected FROM runs WHERE id = :id")  # noqa: S608  (names of our own columns, here and below)
_STEPS = text(f"SELECT {STEP_COLUMNS} FROM run_steps WHERE run_id = :id ORDER BY position")  # noqa: S608
_TRIAL = text(f"SELECT {_columns(Trial)} FROM trials WHERE id = :id")  # noqa: S608
_TASKS = text(f"""
SELECT {_columns(Task)} FROM tasks
WHERE run_id = :id OR id IN (SELECT ref FROM run_steps WHERE run_id = :id AND kind = 'task')
""")  # noqa: S608
_APPROVALS = text(f"SELECT {_columns(Approval)} FROM approvals WHERE run_id = :id ORDER BY asked_at")  # noqa: S608
_PAUSE = text(f"""
SELECT {_columns(Switch)} FROM switches WHERE name IN (:playbook, :everything) AND state = 'paused' ORDER BY at LIMIT 1
""")  # noqa: S608

_AUDITED = text("""
SELECT at, actor, action, subject, account_id, detail::text AS detail FROM audit
WHERE subject = 'run:' || CAST(:id AS text) ORDER BY id
""")

_LAST_ENTRY = text("""
SELECT max(entered_at) FROM trials WHERE account_id = :account_id AND playbook = :playbook AND entered_at < :started_at
""")

# A run takes the place of another at the crossing that starts it; the other ends by the same crossing.
_REPLACED = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE account_id = :account_id AND purpose = :purpose AND priority < :priority AND exit_crossing_id = :crossing_id
""")  # noqa: S608
_REPLACED_BY = text(f"""
SELECT {RUN_COLUMNS} FROM runs
WHERE account_id = :account_id AND purpose = :purpose AND priority > :priority AND crossing_id = :exit_crossing_id
""")  # noqa: S608


async def read_story(tx: AsyncConnection, cache: PlaybookCache, run_id: str) -> RunStory | None:
    """The run with this id, or None."""
    row = (await tx.execute(_RUN, {"id": run_id})).one_or_none()
    if row is None:
        return None
    columns = dict(row._mapping)
    suspected = columns.pop("suspected")
    traces = _Traces(tx, Run(**columns))
    run = traces.run
    playbooks = await PostgresPlaybooks(tx, cache).load([(run.playbook, run.version)])
    crossings = await traces.crossings()
    return RunStory(
        run=run,
        definition=playbooks[run.playbook, run.version].definition,
        crossing=crossings[run.crossing_id],
        exit_crossing=crossings.get(run.exit_crossing_id or ""),
        results=await traces.rows(StepResult, _STEPS),
        trial=await traces.one(Trial, _TRIAL),
        last_entry=await traces.last_entry(),
        replaced=await traces.rows(Run, _REPLACED),
        replaced_by=await traces.one(Run, _REPLACED_BY),
        snapshots=await traces.snapshots(crossings[run.crossing_id].snapshot),
        tasks={each.id: each for each in await traces.rows(Task, _TASKS)},
        approvals=[replace(each, by=tuple(each.by)) for each in await traces.rows(Approval, _APPROVALS)],
        audited=[
            replace(each, detail=msgspec.json.decode(str(each.detail)))
            for each in await traces.rows(Audited, _AUDITED)
        ],
        pause=await traces.one(Switch, _PAUSE),
        suspected=suspected,
    )


class _Traces:
    """What a run has left in other tables."""

    def __init__(self, tx: AsyncConnection, run: Run) -> None:
        self.run = run
        self._tx = tx
        self._asked = {**asdict(run), "everything": EVERYTHING}

    async def rows(self, kind: type[RowT], query: TextClause) -> list[RowT]:
        return [kind(**row._mapping) for row in await self._tx.execute(query, self._asked)]

    async def one(self, kind: type[RowT], query: TextClause) -> RowT | None:
        return next(iter(await self.rows(kind, query)), None)

    async def last_entry(self) -> datetime | None:
        found: datetime | None = await self._tx.scalar(_LAST_ENTRY, self._asked)
        return found

    async def crossings(self) -> dict[str, Crossing]:
        ids = [each for each in (self.run.crossing_id, self.run.exit_crossing_id) if each is not None]
        return {each.id: each.crossing for each in (await PostgresCrossings(self._tx).load(ids)).values()}

    async def snapshots(self, of_crossing: AccountSnapshot) -> dict[int, AccountSnapshot]:
        newest = await PostgresAccounts(self._tx).newest([self.run.account_id])
        return {each.revision: each for each in (of_crossing, *newest.values())}
