"""The people of a simulation: what they are going to say to questions and do about tasks, and how long they take for it."""

import heapq
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from csm_common.clock import Clock
from csm_common.errors import ConflictError
from playbooks.application.actor import Actor
from playbooks.application.model import Approval, Task
from playbooks.application.ports import Transactions
from playbooks.application.task_desk import TaskDesk
from playbooks.domain.calendar import Calendar

PERSON = Actor("simulation", "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is said to a question so long after it was asked; `none` is nothing."""

    said: Literal["approved", "rejected", "none"]
    after: timedelta = timedelta()
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What comes of a task so long after it was opened."""

    outcome: str
    after: timedelta = timedelta()


@dataclass(slots=True)
class People:
    """Replies and outcomes by the names of steps; to what is not named here nobody reacts."""

    replies: Mapping[str, Reply] = field(default_factory=dict)
    outcomes: Mapping[str, Done] = field(default_factory=dict)
    _plans: list[tuple[datetime, int, Approval | Task]] = field(default_factory=list)
    _noticed: set[str] = field(default_factory=set)
    _turns: "count[int]" = field(default_factory=count)

    @property
    def are_asked(self) -> bool:
        """Whether anybody reacts to anything."""
        return bool(self.replies or self.outcomes)

    def notice(self, questions: Sequence[Approval], tasks: Sequence[Task], now: datetime) -> None:
        """Plan for what is new."""
        for question in questions:
            reply = self.replies.get(question.step)
            if reply is not None and reply.said != "none":
                self._plan(question, now + reply.after)
        for task in tasks:
            done = self.outcomes.get(task.step or "")
            if done is not None:
                self._plan(task, now + done.after)

    def next_due(self) -> datetime | None:
        """When somebody acts next."""
        return self._plans[0][0] if self._plans else None

    async def act(self, transactions: Transactions, clock: Clock, calendar: Calendar) -> None:
        """Do what was planned until now; what nobody waits for any more is left."""
        while self._plans and self._plans[0][0] <= clock.now():
            _, _, asked = heapq.heappop(self._plans)
            if isinstance(asked, Approval):
                await reply_to(transactions, asked.id, self.replies[asked.step], clock.now())
            else:
                with suppress(ConflictError):
                    desk = TaskDesk(transactions, clock, calendar)
                    await desk.complete(asked.id, self.outcomes[asked.step or ""].outcome, PERSON)

    def _plan(self, asked: Approval | Task, at: datetime) -> None:
        key = f"{asked.id}/{asked.step}"
        if key not in self._noticed:
            self._noticed.add(key)
            heapq.heappush(self._plans, (at, next(self._turns), asked))


async def reply_to(transactions: Transactions, approval_id: str, reply: Reply, now: datetime) -> bool:
    """Answer a question as its desk does; False where it is open no more."""
    async with transactions.begin() as store:
        asked = await store.approvals.find(approval_id)
        if asked is None or asked.status != "pending" or reply.said == "none":
            return False
        said = replace(
            asked, status=reply.said, answered_at=now, answered_by=PERSON.name, comment=reply.comment
        )
        await store.approvals.answer(said)
        runs = await store.runs.lock([asked.run_id])
        waiting = [run for run in runs if run.awaits == "approval" and run.step == asked.step]
        await store.runs.update([replace(run, due_at=now) for run in waiting])
        return True
