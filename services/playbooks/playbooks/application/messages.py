"""What playbooks tell others: notification requests and task facts, in the contracts' words, with ids derived from their step."""

from datetime import datetime
from typing import Any

import msgspec

from csm_common.contracts import envelope
from csm_common.contracts.facts import TaskChanged
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest, Recipient
from csm_common.contracts.topics import CUSTOMER_EVENTS, NOTIFICATION_REQUESTS, Topic
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from playbooks.application.chain import chain_of
from playbooks.application.model import Approval, Task
from playbooks.application.view import Situation
from playbooks.domain import actions
from playbooks.domain.interpreter import AskApproval, CallWebhook, OpenTask, RequestNotification

SOURCE = "/csm/playbooks"
TASK_CHANGED = "csm.task.changed"
WEBHOOK_CALLED = "csm.playbook.step"


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
        chain=chain_of(situation, effect.step),
        priority=run.priority,
        if_held=notify.if_held,
    )
    return _message(
        NOTIFICATION_REQUESTS,
        situation,
        message_id=notification_id(run.id, effect.step),
        kind=NOTIFICATION_REQUESTED,
        time=effect.requested_at,
        data=request,
    )


def approval_id(run_id: str, step: str) -> str:
    """The id of a step's question."""
    return derived_id("approval", run_id, step)


def webhook_id(run_id: str, step: str) -> str:
    """The id of a step's call, the same however often it is made."""
    return derived_id("webhook", run_id, step)


def task_of(situation: Situation, effect: OpenTask, owner: str | None, now: datetime) -> Task:
    """The task a step asks for."""
    run = situation.run
    return Task(
        id=task_id(run.id, effect.step),
        account_id=run.account_id,
        type=effect.task.type,
        title=effect.task.title,
        reason=effect.task.reason,
        owner=owner,
        due_at=effect.due_at,
        run_id=run.id,
        playbook=run.playbook,
        step=effect.step,
        created_at=now,
        updated_at=now,
    )


def task_message(situation: Situation, effect: OpenTask, task: Task, now: datetime) -> Message:
    """The fact that the task was opened, or asked for again: as it is now, with the owner, the due date and the sleep it had."""
    run = situation.run
    return _message(
        CUSTOMER_EVENTS,
        situation,
        message_id=derived_id("task.changed", run.id, effect.step),
        kind=TASK_CHANGED,
        time=now,
        data=TaskChanged(
            id=task.id,
            status=task.status,
            run=run.id,
            playbook=run.playbook,
            type=task.type,
            reason=task.reason,
            owner=task.owner,
            due=task.due_at.isoformat(),
            actor=f"playbook:{run.playbook}/{run.version}",
        ),
    )


def approval_of(situation: Situation, effect: AskApproval, now: datetime) -> Approval:
    """The question a step asks."""
    run, by = situation.run, effect.approve.by
    return Approval(
        id=approval_id(run.id, effect.step),
        run_id=run.id,
        playbook=run.playbook,
        step=effect.step,
        account_id=run.account_id,
        title=effect.approve.title,
        by=(by,) if isinstance(by, str) else by,
        asked_at=now,
        expires_at=effect.expires_at,
    )


def webhook_body(situation: Situation, effect: CallWebhook) -> bytes:
    """What an endpoint is told, as JSON: the step, the account as it is, why it is called, the playbook's own data."""
    run = situation.run
    return msgspec.json.encode(
        {
            "type": WEBHOOK_CALLED,
            "account_id": run.account_id,
            "run_id": run.id,
            "playbook": run.playbook,
            "playbook_version": run.version,
            "step": effect.step,
            "data": effect.webhook.data or {},
            "context": _context(situation),
            "chain": chain_of(situation, effect.step),
        }
    )


def _message(
    topic: Topic, situation: Situation, *, message_id: str, kind: str, time: datetime, data: object
) -> Message:
    account = situation.run.account_id
    value = envelope.encode(id=message_id, source=SOURCE, type=kind, subject=account, time=time, data=data)
    trace = situation.received.traceparent
    return Message(topic.name, account.encode(), value, {"traceparent": trace} if trace else {})


def _recipient(spec: actions.Recipient) -> Recipient:
    if spec.owner:
        return Recipient(kind="owner")
    if spec.team:
        return Recipient(kind="team")
    if spec.role is not None:
        return Recipient(kind="role", value=spec.role)
    if spec.contact is not None:
        return Recipient(kind="contact", value=spec.contact)
    return Recipient(kind="endpoint", value=spec.endpoint)


def _context(situation: Situation) -> dict[str, Any]:
    """What a template may use."""
    snapshot, crossing = situation.snapshot, situation.received.crossing
    return {
        "account": snapshot.attributes,
        "score": snapshot.score,
        "band": snapshot.band,
        "coverage": snapshot.coverage,
        "dimensions": snapshot.dimensions,
        "values": snapshot.values,
        "thresholds": snapshot.thresholds,
        "crossing": {
            "threshold": crossing.threshold,
            "direction": crossing.direction,
            "target": crossing.target,
            "level": crossing.level,
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
