"""What was decided becomes rows: the run's new state, the step's result, and what the step asked for, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from csm_common.database.outbox import Message
from playbooks.application.grounds import grounds_of
from playbooks.application.messages import (
    approval_of,
    notification_id,
    notification_message,
    task_id,
    task_message,
    task_of,
)
from playbooks.application.model import Audited, Task
from playbooks.application.ports import Store
from playbooks.application.view import Situation
from playbooks.domain.actions import Assignee
from playbooks.domain.interpreter import AskApproval, Decision, Effect, OpenTask, RequestNotification
from playbooks.domain.run import Run, StepResult

Taken = tuple[Run, Decision]
"""A run as it was, and what was decided."""


async def carry_out(
    store: Store, taken: Sequence[Taken], views: Mapping[str, Situation], now: datetime
) -> list[Run]:
    """Write it all down; the runs as they are now. A run with an effect has its situation in `views`."""
    opened = await _open_tasks(store, taken, views, now)
    asked = [
        approval_of(views[run.id], made.effect, now)
        for run, made in taken
        if isinstance(made.effect, AskApproval)
    ]
    if asked:
        await store.approvals.ask(asked)
    left = [
        (run.id, run.step or "")
        for run, made in taken
        if run.awaits == "approval" and made.run.awaits is None
    ]
    if left:
        await store.approvals.close(left, now)
    runs = [made.run for _, made in taken]
    await store.runs.update(runs)
    await store.runs.record(
        [
            _completed(_grounded(made.result, views.get(run.id)), made.effect, opened)
            for run, made in taken
            if made.result
        ]
    )
    await store.outbox.add(_messages(taken, views, opened, now))
    await store.audit.add(_audited(taken, opened, now))
    return runs


async def _open_tasks(
    store: Store, taken: Sequence[Taken], views: Mapping[str, Situation], now: datetime
) -> Mapping[str, Task]:
    """Each task as it is, by the id that it was to have."""
    wanted = [(views[run.id], made.effect) for run, made in taken if isinstance(made.effect, OpenTask)]
    if not wanted:
        return {}
    opened = await store.tasks.open(
        [task_of(view, effect, _owner(view, effect), now) for view, effect in wanted]
    )
    return await _assigned(store, wanted, opened)


async def _assigned(
    store: Store, wanted: Sequence[tuple[Situation, OpenTask]], opened: Mapping[str, Task]
) -> Mapping[str, Task]:
    """With somebody chosen for the tasks that are new and for one of several: what was there uses up no turn."""
    asking: list[tuple[Task, Assignee]] = []
    for view, effect in wanted:
        task, assignee = opened[task_id(view.run.id, effect.step)], effect.task.assignee
        if isinstance(assignee, Assignee) and task.id == task_id(view.run.id, effect.step):
            asking.append((task, assignee))
    if not asking:
        return opened
    chosen = await store.tasks.choose([assignee for _, assignee in asking])
    people = {task.id: person for (task, _), person in zip(asking, chosen, strict=True)}
    for task, _ in asking:
        await store.tasks.write(replace(task, owner=people[task.id]))
    return {wanted: replace(task, owner=people.get(task.id, task.owner)) for wanted, task in opened.items()}


def _owner(view: Situation, effect: OpenTask) -> str | None:
    """The account's owner, where they are to have the task."""
    owner = view.snapshot.attributes.get("owner") if effect.task.assignee == "owner" else None
    return None if owner is None else str(owner)


def _grounded(result: StepResult, view: Situation | None) -> StepResult:
    """The result of a step that asked, with what it was told."""
    if view is None or result.kind not in ("branch", "wait_until"):
        return result
    grounds = grounds_of(view.playbook.program.nodes[result.step].step, result, view.known())
    return replace(result, known=msgspec.json.encode(grounds).decode()) if grounds else result


def _completed(result: StepResult, effect: Effect | None, opened: Mapping[str, Task]) -> StepResult:
    """The result with what only its effect can tell."""
    match effect:
        case RequestNotification():
            return replace(result, ref=notification_id(result.run_id, result.step))
        case OpenTask():
            wanted = task_id(result.run_id, result.step)
            found = opened[wanted].id
            return replace(result, ref=found, outcome="opened" if found == wanted else "updated")
    return result


def _messages(
    taken: Sequence[Taken], views: Mapping[str, Situation], opened: Mapping[str, Task], now: datetime
) -> list[Message]:
    messages = []
    for run, made in taken:
        match made.effect:
            case RequestNotification() as effect:
                messages.append(notification_message(views[run.id], effect))
            case OpenTask(step=step) as effect:
                messages.append(task_message(views[run.id], effect, opened[task_id(run.id, step)], now))
    return messages


def _audited(taken: Sequence[Taken], opened: Mapping[str, Task], now: datetime) -> list[Audited]:
    """What playbooks did to people: messages asked for, work given, questions asked."""
    audited = []
    for run, made in taken:
        match made.effect:
            case RequestNotification(step=step, notify=notify):
                told = {
                    "step": step,
                    "notification": notification_id(run.id, step),
                    "template": notify.template,
                }
                action = "notification_requested"
            case OpenTask(step=step):
                told = {"step": step, "task": opened[task_id(run.id, step)].id}
                action = "task_opened"
            case AskApproval(step=step):
                told, action = {"step": step}, "approval_asked"
            case _:
                continue
        audited.append(
            Audited(
                at=now,
                actor=f"playbook:{run.playbook}/{run.version}",
                action=action,
                subject=f"run:{run.id}",
                account_id=run.account_id,
                detail=told,
            )
        )
    return audited
