"""The tables `tasks`, `task_notes` and `rotations`: work of people. An account has one task of a type and reason to be done."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.errors import ConflictError
from playbooks.adapters.postgres.columns import insert, names_of, parameters, unnested
from playbooks.application.model import Task, TaskNote
from playbooks.application.ports import RunStep
from playbooks.domain.actions import Assignee

TASK_COLUMNS = ", ".join(f"tasks.{name}" for name in names_of(Task))

_CHANGING = (
    "owner", "updated_at", "status", "claimed_by", "snoozed_until", "snoozed_score", "outcome", "done_at", "done_by",
)  # fmt: skip

_LOADS = text("""
SELECT owner, count(*) AS load FROM tasks
WHERE status IN ('open', 'snoozed') AND owner = ANY(CAST(:people AS text[])) GROUP BY owner
""")

# The row stays locked until the turns are known to last: whoever comes in between waits, and goes on from there.
_TURN = text("""
INSERT INTO rotations (people, turns) VALUES (CAST(:people AS text[]), :turns)
ON CONFLICT (people) DO UPDATE SET turns = rotations.turns + EXCLUDED.turns RETURNING turns
""")

# The earlier due date stays: asking again must not put work off. So does the owner: somebody may have given it to them.
# One order, so that no two workers wait for each other.
_OPEN = text(f"""
{insert("tasks", Task)} ORDER BY account_id, type, reason
ON CONFLICT (account_id, type, reason) WHERE status IN ('open', 'snoozed')
DO UPDATE SET title = EXCLUDED.title, owner = coalesce(tasks.owner, EXCLUDED.owner),
    due_at = least(tasks.due_at, EXCLUDED.due_at), run_id = coalesce(EXCLUDED.run_id, tasks.run_id),
    playbook = coalesce(EXCLUDED.playbook, tasks.playbook), step = coalesce(EXCLUDED.step, tasks.step),
    updated_at = EXCLUDED.updated_at, asked = tasks.asked + 1
RETURNING {TASK_COLUMNS}
""")

# By what each step has left behind: a task knows only the step that asked for it last.
_OUTCOMES = text("""
SELECT run_steps.run_id, run_steps.step, tasks.status, tasks.outcome FROM run_steps JOIN tasks ON tasks.id = run_steps.ref
WHERE run_steps.run_id = ANY(CAST(:run_ids AS text[])) AND run_steps.kind = 'task'
""")

_REOPEN = f"""
WITH back AS (
    SELECT tasks.id FROM {{snoozed}} ORDER BY tasks.account_id, tasks.type, tasks.reason FOR UPDATE OF tasks
)
UPDATE tasks SET status = 'open', snoozed_until = NULL, snoozed_score = NULL, updated_at = :now
FROM back WHERE tasks.id = back.id RETURNING {TASK_COLUMNS}
"""  # noqa: S608  (names of our own fields, here and below)

_REOPEN_DUE = text(_REOPEN.format(snoozed="tasks WHERE status = 'snoozed' AND snoozed_until <= :now"))

_REOPEN_SCORED = text(
    _REOPEN.format(
        snoozed="tasks JOIN unnest(CAST(:accounts AS text[]), CAST(:scores AS float8[])) AS now (account_id, score)"
        " USING (account_id) WHERE status = 'snoozed' AND snoozed_score >= score"
    )
)

_FIND = text(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id = :id")  # noqa: S608
_LOCK = text(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id = :id FOR UPDATE")  # noqa: S608

_WRITE = text(f"""
UPDATE tasks SET {", ".join(f"{name} = t.{name}" for name in _CHANGING)}
FROM {unnested(("id", *_CHANGING))} WHERE tasks.id = t.id
""")  # noqa: S608

_NOTE = text(f"{insert('task_notes', TaskNote)} RETURNING id")

NOTE_COLUMNS = ", ".join(names_of(TaskNote))

_LAST_NOTE = text(f"SELECT {NOTE_COLUMNS} FROM task_notes WHERE task_id = :id ORDER BY id DESC LIMIT 1")  # noqa: S608

Identity = tuple[str, str, str]
"""What an account can have one task of that is to be done."""


def task_of(row: Row[Any]) -> Task:
    """The task in a row of TASK_COLUMNS."""
    return Task(**row._mapping)


class PostgresTasks:
    """Implements ports.Tasks."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def choose(self, assignees: Sequence[Assignee]) -> list[str]:
        """Who gets the next task of each, in this order; what is given out here counts for those after it.

        Turns are exact however many ask at once. Loads are as they were committed: two who ask at once may choose the same.
        """
        loads = await self._loads({person for each in assignees for person in each.least_loaded})
        turns = await self._turns([each.round_robin for each in assignees if each.round_robin])
        chosen = []
        for each in assignees:
            person = _person(each, loads, turns)
            loads[person] += 1
            chosen.append(person)
        return chosen

    async def _loads(self, people: Collection[str]) -> Counter[str]:
        if not people:
            return Counter()
        rows = await self._tx.execute(_LOADS, {"people": sorted(people)})
        return Counter({row.owner: row.load for row in rows})

    async def _turns(self, rotations: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], Iterator[int]]:
        """The turns of each rotation from here on. In one order, so that no two wait for each other."""
        found = {}
        for people, asked in sorted(Counter(rotations).items()):
            after = await self._tx.scalar(_TURN, {"people": list(people), "turns": asked})
            found[people] = count(int(after or 0) - asked)
        return found

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, Task]:
        """Open each task, or update the one there is of the same account, type and reason; returns each as it is, by the id it
        was to have.

        The history tells of each playbook that asked.
        """
        found: dict[str, Task] = {}
        for wave in _waves(tasks):
            rows = await self._tx.execute(_OPEN, parameters(list(wave.values()), names_of(Task)))
            opened = {(row.account_id, row.type, row.reason): task_of(row) for row in rows}
            found |= {task.id: opened[identity] for identity, task in wave.items()}
        await self.note([_asked(task, found[task.id].id) for task in tasks if task.playbook is not None])
        return found

    async def outcomes(self, run_ids: Collection[str]) -> Mapping[RunStep, tuple[str, str | None]]:
        """Status and outcome of the tasks that the runs' steps asked for."""
        if not run_ids:
            return {}
        rows = await self._tx.execute(_OUTCOMES, {"run_ids": list(run_ids)})
        return {(row.run_id, row.step): (row.status, row.outcome) for row in rows}

    async def reopen_due(self, now: datetime) -> Sequence[Task]:
        """Open the tasks again that were snoozed until now; those, as they are now."""
        return await self._tasks(_REOPEN_DUE, now=now)

    async def reopen_scored(self, scores: Mapping[str, float], now: datetime) -> Sequence[Task]:
        """Open those again whose account's score is as low as they wait for; those, as they are now."""
        if not scores:
            return []
        return await self._tasks(_REOPEN_SCORED, now=now, accounts=list(scores), scores=list(scores.values()))

    async def find(self, task_id: str) -> Task | None:
        """The task as it is, or None."""
        return next(iter(await self._tasks(_FIND, id=task_id)), None)

    async def lock(self, task_id: str) -> Task | None:
        """The task, locked until the transaction ends, or None."""
        return next(iter(await self._tasks(_LOCK, id=task_id)), None)

    async def write(self, task: Task) -> None:
        """The new state of a locked task. ConflictError where it opens, and the account has another of its type and reason."""
        try:
            await self._tx.execute(_WRITE, parameters([task], ("id", *_CHANGING)))
        except IntegrityError as error:
            raise ConflictError(
                f"{task.account_id} has another open task of the type {task.type!r} and the reason {task.reason!r};"
                f" GET /v1/tasks?account={task.account_id} lists them."
            ) from error

    async def note(self, notes: Sequence[TaskNote]) -> Sequence[int]:
        """Add to the histories of tasks; a number for each note, in this order, that no other has."""
        if not notes:
            return []
        return sorted(await self._tx.scalars(_NOTE, parameters(notes, names_of(TaskNote))))

    async def last_note(self, task_id: str) -> TaskNote | None:
        """The end of a task's history, None where it has none."""
        row = (await self._tx.execute(_LAST_NOTE, {"id": task_id})).one_or_none()
        return None if row is None else TaskNote(**row._mapping)

    async def _tasks(self, query: TextClause, **values: object) -> list[Task]:
        return [task_of(row) for row in await self._tx.execute(query, values)]


def _person(assignee: Assignee, loads: Counter[str], turns: Mapping[tuple[str, ...], Iterator[int]]) -> str:
    if assignee.contact is not None:
        return assignee.contact
    if assignee.least_loaded:
        return min(assignee.least_loaded, key=loads.__getitem__)
    return assignee.round_robin[next(turns[assignee.round_robin]) % len(assignee.round_robin)]


def _asked(task: Task, found: str) -> TaskNote:
    """The line in the history of the task `found` that a playbook asked for."""
    action = "opened" if found == task.id else "asked_again"
    actor, told = f"playbook:{task.playbook}", f"step {task.step} of run {task.run_id}"
    return TaskNote(task_id=found, at=task.updated_at, actor=actor, action=action, text=told)


def _waves(tasks: Iterable[Task]) -> list[dict[Identity, Task]]:
    """The tasks in their order, but no two of the same identity together: one statement cannot touch a row twice."""
    waves: list[dict[Identity, Task]] = []
    for task in tasks:
        identity = (task.account_id, task.type, task.reason)
        wave = next((each for each in waves if identity not in each), None)
        if wave is None:
            waves.append({identity: task})
        else:
            wave[identity] = task
    return waves
