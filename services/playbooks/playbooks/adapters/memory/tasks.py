"""Tasks in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from csm_common.errors import ConflictError
from playbooks.adapters.memory.state import State, pending_identity
from playbooks.application.model import Task, TaskNote
from playbooks.application.ports import RunStep
from playbooks.domain.actions import Assignee


class MemoryTasks:
    """Implements ports.Tasks."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tasks = state.tasks

    async def choose(self, assignees: Sequence[Assignee]) -> list[str]:
        """Who gets the next task of each, in this order; what is given out here counts for those after it."""
        given: dict[str, int] = {}
        chosen = []
        for each in assignees:
            who = each.contact or self._next(each, given)
            given[who] = given.get(who, 0) + 1
            chosen.append(who)
        return chosen

    def _next(self, assignee: Assignee, given: Mapping[str, int]) -> str:
        if assignee.least_loaded:
            return min(
                assignee.least_loaded,
                key=lambda who: len(self._tasks.find("owner", who)) + given.get(who, 0),
            )
        people = assignee.round_robin
        turns = self._state.rotations.get(people, 0)
        self._state.rotations.put(people, turns + 1)
        return people[turns % len(people)]

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, Task]:
        """Open each task, or update the one there is of the same account, type and reason; the history tells who asked."""
        found = {task.id: self._open(task) for task in tasks}
        await self.note([_asked(task, found[task.id].id) for task in tasks if task.playbook is not None])
        return found

    def _open(self, task: Task) -> Task:
        known = next(iter(self._tasks.find("pending", pending_identity(task))), None)
        if known is None:
            self._tasks.put(task.id, task)
            return task
        again = replace(
            known,
            title=task.title,
            owner=known.owner or task.owner,
            due_at=min(known.due_at, task.due_at),
            run_id=task.run_id or known.run_id,
            playbook=task.playbook or known.playbook,
            step=task.step or known.step,
            updated_at=task.updated_at,
            asked=known.asked + 1,
        )
        self._tasks.put(known.id, again)
        return again

    async def outcomes(self, run_ids: Collection[str]) -> Mapping[RunStep, tuple[str, str | None]]:
        """Status and outcome of the tasks that the runs' steps asked for."""
        found = {}
        for run_id in set(run_ids):
            for result in self._state.results.find("run", run_id):
                task = self._tasks.get(result.ref or "") if result.kind == "task" else None
                if task is not None:
                    found[run_id, result.step] = (str(task.status), task.outcome)
        return found

    async def reopen_due(self, now: datetime) -> Sequence[Task]:
        """Open the tasks again that were snoozed until now."""
        due = [
            each
            for each in self._tasks.find("snoozed", True)
            if each.snoozed_until is not None and each.snoozed_until <= now
        ]
        return self._reopen(due, now)

    async def reopen_scored(self, scores: Mapping[str, float], now: datetime) -> Sequence[Task]:
        """Open those again whose account's score is as low as they wait for."""
        due = [
            each
            for each in self._tasks.find("snoozed", True)
            if each.account_id in scores
            and each.snoozed_score is not None
            and scores[each.account_id] <= each.snoozed_score
        ]
        return self._reopen(due, now)

    def _reopen(self, tasks: Sequence[Task], now: datetime) -> Sequence[Task]:
        reopened = [
            replace(each, status="open", snoozed_until=None, snoozed_score=None, updated_at=now)
            for each in sorted(tasks, key=lambda task: task.id)
        ]
        for each in reopened:
            self._tasks.put(each.id, each)
        return reopened

    async def find(self, task_id: str) -> Task | None:
        """The task as it is, or None."""
        return self._tasks.get(task_id)

    async def lock(self, task_id: str) -> Task | None:
        """The task, or None."""
        return self._tasks.get(task_id)

    async def write(self, task: Task) -> None:
        """The new state of a task. ConflictError where it opens, and the account has another of its type and reason."""
        identity = pending_identity(task)
        if identity is not None and any(each.id != task.id for each in self._tasks.find("pending", identity)):
            raise ConflictError(
                f"{task.account_id} has another open task of type {task.type} for {task.reason!r}: work on that one."
            )
        self._tasks.put(task.id, task)

    async def note(self, notes: Sequence[TaskNote]) -> Sequence[int]:
        """Add to the histories of tasks; a number for each note that no other has."""
        numbers = [next(self._state.numbers) for _ in notes]
        for number, each in zip(numbers, notes, strict=True):
            self._state.notes.put(number, each)
        return numbers

    async def last_note(self, task_id: str) -> TaskNote | None:
        """The end of a task's history, None where it has none."""
        return next(reversed(self._state.notes.find("task", task_id)), None)


def _asked(task: Task, found: str) -> TaskNote:
    """The line in the history of the task `found` that a playbook asked for."""
    action = "opened" if found == task.id else "asked_again"
    told = f"step {task.step} of run {task.run_id}"
    return TaskNote(
        task_id=found, at=task.updated_at, actor=f"playbook:{task.playbook}", action=action, text=told
    )
