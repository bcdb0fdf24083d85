"""Many people and workers at once on few tasks: nobody waits for another for good, and nothing is told twice or not at all."""

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import a_run, a_snapshot, received_snapshot
from tests.unit.playbooks.contracts.rows import DAY, HOUR, a_task, with_runs

from csm_common.contracts.envelope import Envelope
from csm_common.errors import ConflictError, InvalidError
from playbooks.application.actor import Actor
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.task_desk import NewTask, TaskDesk
from playbooks.application.task_history import bring_back_due
from playbooks.domain.actions import Assignee
from playbooks.domain.calendar import Calendar

PEOPLE = ("ana", "ben", "cem")
TASKS = ("task-0", "task-1", "task-2")


class Storm:
    """Does something, whatever comes of it."""

    def __init__(self, adapters: Adapters, seed: int) -> None:
        self._adapters = adapters
        self._random = Random(seed)  # noqa: S311  (nothing is kept secret with it)
        self._desk = TaskDesk(adapters.transactions, ManualClock(), Calendar())

    async def person(self, name: str, deeds: int) -> None:
        """Somebody at the desk."""
        for _ in range(deeds):
            try:
                await self._deed(self._random.choice(TASKS), Actor("console", name))
            except (ConflictError, InvalidError):
                continue

    async def _deed(self, task: str, by: Actor) -> None:
        desk, rotation = self._desk, Assignee(round_robin=PEOPLE)
        match self._random.randrange(8):
            case 0:
                await desk.claim(task, by)
            case 1:
                await desk.assign(task, rotation, by)
            case 2:
                await desk.assign(task, Assignee(contact=self._random.choice(PEOPLE)), by)
            case 3:
                await desk.snooze(task, START + HOUR, None, by)
            case 4:
                await desk.snooze(task, None, 30.0, by)
            case 5:
                await desk.complete(task, "reached", by, "Done.")
            case 6:
                await desk.reopen(task, by)
            case 7:
                reason = self._random.choice(TASKS)
                wanted = NewTask(
                    account_id="acme",
                    type="follow_up",
                    title="Call",
                    reason=reason,
                    assignee=rotation,
                    due_in="1wd",
                )
                await desk.open(wanted, by)

    async def worker(self, rounds: int) -> None:
        """Takes runs in hand, and asks for the tasks again."""
        for _ in range(rounds):
            async with self._adapters.transactions.begin() as store:
                runs = await store.runs.take(["run-0", "run-1", "run-2"], START + 2 * DAY)
                [owner] = await store.tasks.choose([Assignee(round_robin=PEOPLE)])
                await store.tasks.open(
                    [
                        a_task(f"{run.id}/{self._random.random()}", reason=reason, owner=owner, run_id=run.id)
                        for run in runs
                        for reason in self._random.sample(TASKS, 2)
                    ]
                )
                await store.runs.update([replace(run, due_at=START + DAY) for run in runs])

    async def news(self, rounds: int) -> None:
        """Snapshots, high and low, and the alarm for what was put aside."""
        for revision in range(2, rounds + 2):
            score = self._random.choice([20.0, 40.0])
            async with self._adapters.transactions.begin() as store:
                snapshot = received_snapshot(a_snapshot(revision=revision, score=score))
                await keep_accounts(store, [], [snapshot], START)
            async with self._adapters.transactions.begin() as store:
                await bring_back_due(store, START + HOUR)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_at_once_each_change_is_told_once(adapters: Adapters, seed: int) -> None:
    async with adapters.transactions.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot())])
        runs = [
            a_run(
                f"run-{n}",
                purpose=f"purpose-{n}",
                awaits="condition",
                wake_at=START + DAY,
                due_at=START + DAY,
            )
            for n in range(3)
        ]
        await with_runs(store, *runs)
        await store.tasks.open([a_task(task, reason=task, run_id=f"run-{n}") for n, task in enumerate(TASKS)])
    storm = Storm(adapters, seed)
    await asyncio.gather(
        *(storm.person(name, 25) for name in PEOPLE), storm.worker(15), storm.worker(15), storm.news(10)
    )
    async with adapters.engine.connect() as connection:
        to_do = Counter(
            await connection.scalars(text("SELECT reason FROM tasks WHERE status IN ('open', 'snoozed')"))
        )
        values = list(await connection.scalars(text("SELECT value FROM outbox ORDER BY id")))
        told = [msgspec.json.decode(value, type=Envelope) for value in values]
        by_people = await connection.scalar(
            text(
                "SELECT count(*) FROM task_notes WHERE actor NOT LIKE 'playbook:%' AND action <> 'commented'"
            )
        )
        audited = await connection.scalar(text("SELECT count(*) FROM audit"))
        last = {event.data["id"]: event.data["status"] for event in told}
        now = {row.id: row.status for row in await connection.execute(text("SELECT id, status FROM tasks"))}
    assert set(to_do.values()) <= {1}
    assert len(told) == len({event.id for event in told}) == by_people == audited
    assert last == {task: status for task, status in now.items() if task in last}
