"""What playbooks tell others: notification requests and task facts, in the contracts' words, with ids derived from their step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csm_common.contracts import envelope
from csm_common.contracts.facts import TaskChanged
from csm_common.contracts.health import AccountSnapshot
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest, Recipient
from csm_common.contracts.topics import CUSTOMER_EVENTS, NOTIFICATION_REQUESTS, Topic
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from playbooks.application.model import Playbook, ReceivedCrossing, Task
from playbooks.domain import steps
from playbooks.domain.interpreter import OpenTask, RequestNotification
from playbooks.domain.run import Run

SOURCE = "/csm/playbooks"
TASK_CHANGED = "csm.task.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A run with all that its steps may speak of. `snapshot` is the newest known, `received` the crossing that started it."""

    run: Run
    playbook: Playbook
    received: ReceivedCrossing
    snapshot: AccountSnapshot


def notification_id(run_id: str, step: str) -> str:
    """The id of a step's notification, the same however often the step is tried."""
    return derived_id("notification", run_id, step)


def task_id(run_id: str, step: str) -> str:
    """The id a step's task has, unless it finds one open."""
    return derived_id("task", run_id, step)


def notification_message(situation: Situation, effect: RequestNotification) -> Message:
    """The request for the notifier."""
    run, notify = situation.run, effect.notify
    request = NotificationRequest(
        account_id=run.account_id,
        run_id=run.id,
        playbook=run.playbook,
        playbook_version=run.version,
        step=effect.step,
        channel=notify.channel,
        category=notify.category,
        message_class=notify.message_class,
        template=notify.template,
        recipients=[_recipient(each) for each in notify.recipients],
        requested_at=effect.requested_at,
        expires_at=effect.expires_at,
        context=_context(situation),
        chain=_chain(situation, effect.step),
    )
    return _message(
        NOTIFICATION_REQUESTS,
        situation,
        message_id=notification_id(run.id, effect.step),
        kind=NOTIFICATION_REQUESTED,
        time=effect.requested_at,
        data=request,
    )


def task_of(situation: Situation, effect: OpenTask, now: datetime) -> Task:
    """The task a step asks for; its owner is the account's."""
    owner = situation.snapshot.attributes.get("owner")
    return Task(
        id=task_id(situation.run.id, effect.step),
        account_id=situation.run.account_id,
        type=effect.task.type,
        title=effect.task.title,
        reason=effect.task.reason,
        owner=None if owner is None else str(owner),
        due_at=effect.due_at,
        run_id=situation.run.id,
        created_at=now,
        updated_at=now,
    )


def task_message(situation: Situation, step: str, found: str, now: datetime) -> Message:
    """The fact that the task with the id `found` was opened or asked for again."""
    run = situation.run
    return _message(
        CUSTOMER_EVENTS,
        situation,
        message_id=derived_id("task.changed", run.id, step),
        kind=TASK_CHANGED,
        time=now,
        data=TaskChanged(id=found, status="open", run=run.id, playbook=run.playbook),
    )


def _message(
    topic: Topic, situation: Situation, *, message_id: str, kind: str, time: datetime, data: object
) -> Message:
    account = situation.run.account_id
    value = envelope.encode(id=message_id, source=SOURCE, type=kind, subject=account, time=time, data=data)
    trace = situation.received.traceparent
    return Message(topic.name, account.encode(), value, {"traceparent": trace} if trace else {})


def _recipient(spec: steps.Recipient) -> Recipient:
    if spec.owner:
        return Recipient(kind="owner")
    if spec.role is not None:
        return Recipient(kind="role", value=spec.role)
    return Recipient(kind="contact", value=spec.contact)


def _context(situation: Situation) -> dict[str, Any]:
    """What a template may use."""
    snapshot, crossing = situation.snapshot, situation.received.crossing
    return {
        "account": snapshot.attributes,
        "score": snapshot.score,
        "band": snapshot.band,
        "coverage": snapshot.coverage,
        "dimensions": snapshot.dimensions,
        "crossing": {
            "threshold": crossing.threshold,
            "direction": crossing.direction,
            "before": crossing.before,
            "after": crossing.after,
            "band_before": crossing.band_before,
            "band_after": crossing.band_after,
            "parts": crossing.parts,
            "occurred_at": crossing.occurred_at,
        },
        "playbook": {
            "name": situation.playbook.name,
            "title": situation.playbook.definition.title,
        },
    }


def _chain(situation: Situation, step: str) -> dict[str, Any]:
    """The ids that explain the message."""
    return {
        "run_id": situation.run.id,
        "step": step,
        "playbook": situation.run.playbook,
        "playbook_version": situation.run.version,
        "crossing_id": situation.received.id,
        "fact_ids": situation.received.crossing.cause.fact_ids,
    }
