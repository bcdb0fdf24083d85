"""What people may do to a task, as pure rules: the task as it is, to what it becomes and the line in its history.

A rule returns None where nothing is left to do, so a request that is sent twice does no harm; ConflictError where the task is in
no state for it, with who brought it there and what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from csm_common.errors import ConflictError
from playbooks.application.actor import Actor
from playbooks.application.model import Task

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A task before (None where it is new) and after, what was done to it, and what the history tells of it."""

    before: Task | None
    after: Task
    action: str
    told: str = ""


def claim(task: Task, by: Actor, now: datetime) -> Change | None:
    """Whoever claims a task works on it, and a person who does owns it from then on. A snoozed one comes back."""
    _require_to_do(task)
    if task.claimed_by == by.name and task.status == "open":
        return None
    _require_free(task, by.name)
    after = replace(_awake(task, now), owner=by.person or task.owner, claimed_by=by.name)
    return Change(before=task, after=after, action="claimed", told=f"by {by.name}")


def assign(task: Task, owner: str, now: datetime) -> Change | None:
    """Give it to somebody, and out of the hands of whoever has claimed it."""
    _require_to_do(task)
    if task.owner == owner and task.claimed_by in (None, owner):
        return None
    after = replace(task, owner=owner, claimed_by=None, updated_at=now)
    return Change(before=task, after=after, action="assigned", told=f"to {owner}")


def snooze(
    task: Task, until: datetime | None, score: float | None, by: Actor, now: datetime
) -> Change | None:
    """Put it aside until a time, until the score has fallen that low, or whichever comes first."""
    _require_to_do(task)
    _require_his_or_free(task, by)
    if task.status == "snoozed" and (task.snoozed_until, task.snoozed_score) == (until, score):
        return None
    after = replace(task, status="snoozed", snoozed_until=until, snoozed_score=score, updated_at=now)
    told = [f"until {until:{_TIME}}"] if until else []
    told += [f"until the score is at {score:g} or below"] if score is not None else []
    return Change(before=task, after=after, action="snoozed", told=", or ".join(told))


def complete(task: Task, outcome: str, by: Actor, now: datetime) -> Change | None:
    """It is done, and this came of it."""
    if task.status == "done" and (task.outcome, task.done_by) == (outcome, by.name):
        return None
    _require_to_do(task)
    _require_his_or_free(task, by)
    after = replace(_awake(task, now), status="done", outcome=outcome, done_at=now, done_by=by.name)
    return Change(before=task, after=after, action="completed", told=outcome)


def cancel(task: Task, reason: str, by: Actor, now: datetime) -> Change | None:
    """Nobody has to do it any more."""
    if task.status == "cancelled" and task.done_by == by.name:
        return None
    _require_to_do(task)
    after = replace(_awake(task, now), status="cancelled", done_at=now, done_by=by.name)
    return Change(before=task, after=after, action="cancelled", told=reason)


def reopen(task: Task, now: datetime) -> Change | None:
    """It is to be done again, or now; nobody has claimed it."""
    if task.status == "open":
        return None
    ended = task.status != "snoozed"
    after = replace(_awake(task, now), outcome=None, done_at=None, done_by=None)
    return Change(before=task, after=replace(after, claimed_by=None) if ended else after, action="reopened")


def _awake(task: Task, now: datetime) -> Task:
    return replace(task, status="open", snoozed_until=None, snoozed_score=None, updated_at=now)


def _require_to_do(task: Task) -> None:
    if task.status not in ("done", "cancelled"):
        return
    when = f" at {task.done_at:{_TIME}}" if task.done_at else ""
    came = f", the outcome is {task.outcome!r}" if task.outcome else ""
    raise ConflictError(
        f"Task {task.id} is {task.status} already: by {task.done_by}{when}{came}. Reopen it first, with :reopen.",
        code=f"task_{task.status}",
    )


def _require_free(task: Task, name: str) -> None:
    if task.claimed_by not in (None, name):
        raise ConflictError(
            f"{task.claimed_by} has claimed task {task.id}; :assign gives it to somebody else.",
            code="task_claimed",
        )


def _require_his_or_free(task: Task, by: Actor) -> None:
    """A key that names nobody speaks for whoever has claimed it."""
    if by.person is not None:
        _require_free(task, by.person)
