"""What a run does next, decided from (definition, run, now) alone: whoever calls writes the decision down in one transaction.

One step a call, so that a step which fails never takes the one before it back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from playbooks.domain.definition import Definition
from playbooks.domain.durations import duration
from playbooks.domain.run import Outcome, Run, StepResult, complete_run
from playbooks.domain.steps import Notify, Task, Wait

NOTIFICATION_LIFETIME = timedelta(days=3)
"""A message that could not be sent by then is of no use any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNotification:
    """Ask for a message."""

    step: str
    notify: Notify
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """Give a person work."""

    step: str
    task: Task
    due_at: datetime


Effect = RequestNotification | OpenTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The run as it is now, what has to be done for it, and what to write down of the step. An open wait has no result yet."""

    run: Run
    effect: Effect | None = None
    result: StepResult | None = None


def advance(definition: Definition, run: Run, now: datetime) -> Decision:
    """Take the step at hand, if the run is active and due; otherwise the decision changes nothing."""
    if run.status != "active" or run.due_at is None or now < run.due_at:
        return Decision(run=run)
    step = definition.steps[run.position]
    match step.action:
        case Notify() as notify:
            notification = RequestNotification(
                step=step.name, notify=notify, requested_at=now, expires_at=now + NOTIFICATION_LIFETIME
            )
            return _done(definition, run, now, "requested", notification)
        case Task() as task:
            opening = OpenTask(step=step.name, task=task, due_at=now + duration(task.due_in))
            return _done(definition, run, now, "opened", opening)
        case Wait(length=length):
            return _wait(definition, run, now, length)


def _wait(definition: Definition, run: Run, now: datetime, length: timedelta) -> Decision:
    if run.wake_at is None:
        wake_at = now + length
        return Decision(run=replace(run, wake_at=wake_at, due_at=wake_at, failures=0, error=None))
    if now < run.wake_at:  # due for another attempt, not yet awake
        return Decision(run=replace(run, due_at=run.wake_at))
    return _done(definition, run, now, "waited")


def _done(
    definition: Definition, run: Run, now: datetime, outcome: Outcome, effect: Effect | None = None
) -> Decision:
    step = definition.steps[run.position]
    result = StepResult(
        run_id=run.id,
        position=run.position,
        step=step.name,
        kind=step.kind,
        at=now,
        outcome=outcome,
        until=run.wake_at,
    )
    after = replace(run, position=run.position + 1, wake_at=None, due_at=now, failures=0, error=None)
    if after.position == len(definition.steps):
        after = complete_run(after, now)
    return Decision(run=after, effect=effect, result=result)
