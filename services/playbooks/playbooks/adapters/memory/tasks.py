"""Tasks in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from playbooks.adapters.memory.state import State, pending_identity
from playbooks.application.model import Task
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

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Open each task, or update the one there is of the same account, type and reason."""
        return {task.id: self._open(task) for task in tasks}

    def _open(self, task: Task) -> str:
        known = next(iter(self._tasks.find("pending", pending_identity(task))), None)
        if known is None:
            self._tasks.put(task.id, task)
            return task.id
        again = replace(
            known,
            title=task.title,
            owner=task.owner or known.owner,
            due_at=min(known.due_at, task.due_at),
            run_id=task.run_id,
            playbook=task.playbook,
            step=task.step,
            updated_at=task.updated_at,
            asked=known.asked + 1,
        )
        self._tasks.put(known.id, again)
        return known.id

    async def outcomes(self, run_ids: Collection[str]) -> Mapping[RunStep, tuple[str, str | None]]:
        """Status and outcome of the tasks that the runs' steps asked for."""
        found = {}
        for run_id in set(run_ids):
            for result in self._state.results.find("run", run_id):
                task = self._tasks.get(result.ref or "") if result.kind == "task" else None
                if task is not None:
                    found[run_id, result.step] = (str(task.status), task.outcome)
        return found

    async def reopen_due(self, now: datetime) -> int:
        """Open the tasks again that were snoozed until now."""
        due = [
            each for each in self._snoozed() if each.snoozed_until is not None and each.snoozed_until <= now
        ]
        return self._reopen(due, now)

    async def reopen_scored(self, scores: Mapping[str, float], now: datetime) -> int:
        """Open those again whose account's score is as low as they wait for."""
        due = [
            each
            for each in self._snoozed()
            if each.snoozed_score is not None and scores.get(each.account_id, 101) <= each.snoozed_score
        ]
        return self._reopen(due, now)

    def _snoozed(self) -> list[Task]:
        return [each for each in self._tasks.values() if each.status == "snoozed"]

    def _reopen(self, tasks: Sequence[Task], now: datetime) -> int:
        for each in tasks:
            opened = replace(each, status="open", snoozed_until=None, snoozed_score=None, updated_at=now)
            self._tasks.put(each.id, opened)
        return len(tasks)
