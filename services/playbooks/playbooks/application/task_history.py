"""Every change of a task leaves four things behind, in its own transaction: its new state, a line in its history, a line in the
audit, and the fact `csm.task.changed`. Facts go to the log that health-score reads; playbooks never reads it, so nothing loops.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from csm_common.contracts import envelope
from csm_common.contracts.facts import TaskChanged
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from playbooks.application.messages import SOURCE, TASK_CHANGED
from playbooks.application.model import Audited, Task, TaskNote
from playbooks.application.ports import Store
from playbooks.application.task_changes import Change

SYSTEM = "system"


async def write_down(store: Store, changes: Sequence[Change], actor: str, now: datetime) -> None:
    """The histories, the audit and the facts of changes that are in the table already."""
    if not changes:
        return
    notes = [
        TaskNote(task_id=each.after.id, at=now, actor=actor, action=each.action, text=each.told)
        for each in changes
    ]
    numbers = await store.tasks.note(notes)
    await store.audit.add([audited(each, actor, now) for each in changes])
    facts = zip(changes, numbers, strict=True)
    await store.outbox.add([task_fact(each.after, actor, number, now) for each, number in facts])


async def bring_back_due(store: Store, now: datetime) -> int:
    """Open the tasks again that were snoozed until now; how many."""
    return await _brought_back(store, await store.tasks.reopen_due(now), "its time has come", now)


async def bring_back_scored(store: Store, scores: Mapping[str, float], now: datetime) -> int:
    """Open those again that were snoozed until their account's score is as low as it is now; how many."""
    if not scores:
        return 0
    return await _brought_back(store, await store.tasks.reopen_scored(scores, now), "the score is low", now)


async def _brought_back(store: Store, tasks: Iterable[Task], why: str, now: datetime) -> int:
    changes = [Change(before=None, after=task, action="reopened", told=why) for task in tasks]
    await write_down(store, changes, SYSTEM, now)
    return len(changes)


def audited(change: Change, actor: str, now: datetime) -> Audited:
    """The line in the audit: which members changed, and to what."""
    task = change.after
    return Audited(
        at=now,
        actor=actor,
        action=f"task_{change.action}",
        subject=f"task:{task.id}",
        account_id=task.account_id,
        detail={"told": change.told, "changed": _changed(change)},
    )


def _changed(change: Change) -> dict[str, Any]:
    after = asdict(change.after)
    before = asdict(change.before) if change.before is not None else {"status": None}
    after.pop("updated_at")
    return {name: after[name] for name, value in before.items() if name in after and after[name] != value}


def task_fact(task: Task, actor: str, number: int, now: datetime) -> Message:
    """The fact; `number` is that of the line in the history, so each change has an id of its own, however often it is told."""
    value = envelope.encode(
        id=derived_id("task.changed", task.id, number),
        source=SOURCE,
        type=TASK_CHANGED,
        subject=task.account_id,
        time=now,
        data=TaskChanged(
            id=task.id,
            status=task.status,
            run=task.run_id,
            playbook=task.playbook,
            type=task.type,
            reason=task.reason,
            owner=task.owner,
            due=task.due_at.isoformat(),
            outcome=task.outcome,
            actor=actor,
        ),
    )
    return Message(CUSTOMER_EVENTS.name, task.account_id.encode(), value)
