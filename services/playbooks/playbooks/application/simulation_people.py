"""The people of a simulation: what they are going to say to questions and do about tasks, and how long they take for it."""

import heapq
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from csm_common.clock import Clock
from csm_common.errors import ConflictError
from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.model import Approval, Task
from playbooks.application.ports import Transactions
from playbooks.application.task_desk import TaskDesk
from playbooks.domain.calendar import Calendar

PERSON = Actor("simulation")
"""Somebody who may answer whatever is asked."""


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
        """Do at their desks what was planned until now; what nobody waits for any more is left."""
        while self._plans and self._plans[0][0] <= clock.now():
            _, _, asked = heapq.heappop(self._plans)
            with suppress(ConflictError):
                if isinstance(asked, Approval):
                    await self._answer(ApprovalDesk(transactions, clock), asked)
                else:
                    done = self.outcomes[asked.step or ""]
                    await TaskDesk(transactions, clock, calendar).complete(asked.id, done.outcome, PERSON)

    async def _answer(self, desk: ApprovalDesk, asked: Approval) -> None:
        reply = self.replies[asked.step]
        if reply.said != "none":
            await desk.answer(asked.id, reply.said, PERSON, reply.comment)

    def _plan(self, asked: Approval | Task, at: datetime) -> None:
        key = f"{asked.id}/{asked.step}"
        if key not in self._noticed:
            self._noticed.add(key)
            heapq.heappush(self._plans, (at, next(self._turns), asked))
