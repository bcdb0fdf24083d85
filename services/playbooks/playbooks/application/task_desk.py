"""What people do with tasks: open one by hand, claim, give away, put aside, end, take up again, comment. One transaction each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from csm_common.clock import Clock
from csm_common.errors import InvalidError, NotFoundError
from playbooks.application import task_changes as rules
from playbooks.application.actor import Actor
from playbooks.application.model import Audited, Task, TaskNote
from playbooks.application.ports import Store, Transactions
from playbooks.application.task_changes import Change
from playbooks.application.task_history import write_down
from playbooks.domain.actions import Assignee
from playbooks.domain.calendar import Calendar

Rule = Callable[[Task, datetime], Change | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that a person asks for: due at an instant, or `due_in` (a duration, or working days). Without an assignee it goes to
    the account's owner."""

    account_id: str
    type: str
    title: str
    reason: str
    assignee: Assignee | None = None
    due_in: str | None = None
    due_at: datetime | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The task, and whether it is new: the account may have had one of the type and reason that is to be done."""

    task: Task
    created: bool


class TaskDesk:
    """NotFoundError where there is no such task, ConflictError where it is in no state for this, with who brought it there."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        calendar: Calendar,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_commit` is told that there is a fact to publish, and that runs may be due."""
        self._transactions = transactions
        self._clock = clock
        self._calendar = calendar
        self._on_commit = on_commit

    async def open(self, wanted: NewTask, by: Actor) -> Opened:
        """Open it, or ask once more for the one that is to be done. NotFoundError for an account that nobody knows."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            task = await self._new(store, wanted, now)
            found = (await store.tasks.open([task]))[task.id].id
            after = await _locked(store, found)
            created = found == task.id
            action = "opened" if created else "asked_again"
            change = Change(before=None, after=after, action=action, told=wanted.title)
            await write_down(store, [change], str(by), now)
            if wanted.comment is not None:
                await store.tasks.note([_comment(after, wanted.comment, by, now)])
        self._on_commit()
        return Opened(after, created)

    async def _new(self, store: Store, wanted: NewTask, now: datetime) -> Task:
        snapshot = (await store.accounts.newest([wanted.account_id])).get(wanted.account_id)
        if snapshot is None:
            raise NotFoundError(
                f"There is no account {wanted.account_id!r}; it is known once a fact about it has been scored."
            )
        owner = snapshot.attributes.get("owner")
        if wanted.assignee is not None:
            [owner] = await store.tasks.choose([wanted.assignee])
        return Task(
            id=str(uuid4()),
            account_id=wanted.account_id,
            type=wanted.type,
            title=wanted.title,
            reason=wanted.reason,
            owner=None if owner is None else str(owner),
            due_at=wanted.due_at or self._calendar.due(wanted.due_in or "1wd", now),
            run_id=None,
            playbook=None,
            step=None,
            created_at=now,
            updated_at=now,
        )

    async def claim(self, task_id: str, by: Actor) -> Task:
        """Take it on."""
        return await self._change(task_id, by, lambda task, now: rules.claim(task, by, now))

    async def assign(self, task_id: str, to: Assignee, by: Actor) -> Task:
        """Give it to somebody. Of several, it stays with whom it is where that is one of them."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            known = await _known(store, task_id)
            among = to.least_loaded or to.round_robin
            owner = known.owner if known.owner in among else (await store.tasks.choose([to]))[0]
            task = await self._apply(
                store, known, by, now, lambda task, now: rules.assign(task, owner or "", now)
            )
        self._on_commit()
        return task

    async def snooze(self, task_id: str, until: datetime | None, score: float | None, by: Actor) -> Task:
        """Put it aside until a time or a score; InvalidError where that has come already."""
        now = self._clock.now()
        if until is not None and until <= now:
            raise InvalidError(f"until is {until.isoformat()}, which is not in the future.")
        async with self._transactions.begin() as store:
            known = await _known(store, task_id)
            if score is not None:
                await _require_above(store, known.account_id, score)
            task = await self._apply(
                store, known, by, now, lambda task, now: rules.snooze(task, until, score, by, now)
            )
        self._on_commit()
        return task

    async def complete(self, task_id: str, outcome: str, by: Actor, comment: str | None = None) -> Task:
        """End it with what came of it. The account's runs that wait for a condition look at once."""
        return await self._change(
            task_id, by, lambda task, now: rules.complete(task, outcome, by, now), comment
        )

    async def cancel(self, task_id: str, reason: str, by: Actor) -> Task:
        """End it undone."""
        return await self._change(task_id, by, lambda task, now: rules.cancel(task, reason, by, now))

    async def reopen(self, task_id: str, by: Actor) -> Task:
        """Have it done after all, or now."""
        return await self._change(task_id, by, rules.reopen)

    async def comment(self, task_id: str, text: str, by: Actor) -> TaskNote:
        """Say something about it, done or not. What was said last by the same is not said again."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            task = await _locked(store, task_id)
            note = _comment(task, text, by, now)
            last = await store.tasks.last_note(task_id)
            if last is not None and replace(last, at=now) == note:
                return last
            await store.tasks.note([note])
            line = Audited(
                at=now,
                actor=str(by),
                action="task_commented",
                subject=f"task:{task.id}",
                account_id=task.account_id,
            )
            await store.audit.add([line])
        return note

    async def _change(self, task_id: str, by: Actor, rule: Rule, comment: str | None = None) -> Task:
        now = self._clock.now()
        async with self._transactions.begin() as store:
            task = await self._apply(store, await _known(store, task_id), by, now, rule, comment)
        self._on_commit()
        return task

    async def _apply(
        self, store: Store, known: Task, by: Actor, now: datetime, rule: Rule, comment: str | None = None
    ) -> Task:
        """The account's runs are woken by what they may ask about."""
        task = await _locked(store, known.id)
        change = rule(task, now)
        if change is None:
            return task
        await store.tasks.write(change.after)
        await write_down(store, [change], str(by), now)
        if comment is not None:
            await store.tasks.note([_comment(task, comment, by, now)])
        if change.after.status != task.status:
            await store.runs.wake([task.account_id], now)
        return change.after


async def _known(store: Store, task_id: str) -> Task:
    """The task as it is, with its account's runs locked: workers lock runs, then turns, then tasks, and so does this."""
    task = _found(await store.tasks.find(task_id), task_id)
    await store.runs.lock_active([task.account_id])
    return task


async def _locked(store: Store, task_id: str) -> Task:
    return _found(await store.tasks.lock(task_id), task_id)


def _found(task: Task | None, task_id: str) -> Task:
    if task is None:
        raise NotFoundError(f"There is no task {task_id!r}; GET /v1/tasks lists them.")
    return task


async def _require_above(store: Store, account_id: str, score: float) -> None:
    snapshot = (await store.accounts.newest([account_id])).get(account_id)
    if snapshot is not None and snapshot.score is not None and snapshot.score <= score:
        raise InvalidError(
            f"The score of {account_id} is {snapshot.score:g}, at {score:g} or below already: the task would be back at once."
        )


def _comment(task: Task, text: str, by: Actor, now: datetime) -> TaskNote:
    return TaskNote(task_id=task.id, at=now, actor=str(by), action="commented", text=text)
