"""The middle of a run's story: what each step came to, why, and on what knowledge it was decided."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from playbooks.application.model import Task
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.wording import duration_told, instant_told, number_told, wait_told
from playbooks.domain.actions import Notify, Recipient, Until, Webhook
from playbooks.domain.actions import Task as TaskStep
from playbooks.domain.program import lay_out
from playbooks.domain.run import StepResult
from playbooks.domain.steps import Approve, Branch, End, Split, Step, WaitUntil

_ON_TIME = timedelta(minutes=5)
_MESSAGES = {
    "email": "an email",
    "slack": "a Slack message",
    "teams": "a Teams message",
    "webhook": "a webhook message",
}

Told = tuple[str, Sequence[str]]
"""What happened, and why."""


def step_moments(story: RunStory) -> Iterator[Moment]:
    """A moment for each step that was taken, in order."""
    nodes = lay_out(story.definition).nodes
    for result in story.results:
        step = nodes[result.step].step
        told, because = step_told(step, result, story)
        yield Moment(
            at=result.at,
            what="step",
            told=told,
            because=because,
            step=result.step,
            kind=result.kind,
            outcome=result.outcome,
            path=result.path,
            ref=result.ref,
            until=result.until,
            revision=result.revision,
            values=_values(result),
        )


def step_told(step: Step, result: StepResult, story: RunStory) -> Told:
    """What became of a step, and why."""
    if result.outcome == "skipped":
        return _skipped(step, result)
    match step.action:
        case Notify() as notify:
            told, because = _notified(notify)
            return told, [*_reasons(result), *because]
        case str() | Until() as wait:
            return _waited(wait_told(wait, account_zone(story, wait, result.until)), result)
        case WaitUntil() as wait_until:
            return _awaited(wait_until, result)
        case Branch() | Split() as fork:
            return _forked(fork, result)
        case TaskStep() as task:
            told, because = _tasked(task, result, story.tasks.get(result.ref or ""))
            return told, [*_reasons(result), *because]
        case Webhook(endpoint=endpoint):
            return f"Called the endpoint {endpoint}.", _reasons(result)
        case Approve(title=title):
            return f"‘{title}’: {result.reason or result.outcome}.", ()
        case End(reason=reason):
            return f"The playbook ends here: {reason}.", ()


def _skipped(step: Step, result: StepResult) -> Told:
    what = "The wait was skipped." if step.wait or step.wait_until else "The step was left out."
    return what, _reasons(result)


def account_zone(story: RunStory, wait: str | Until, until: datetime | None) -> str | None:
    """The account's time zone, where it is the one by which the wait ends: it can have changed since that was decided."""
    if until is None or isinstance(wait, str):
        return None
    newest = max([story.crossing.snapshot, *story.snapshots.values()], key=lambda each: each.revision)
    name = newest.attributes.get("timezone")
    try:
        local = until.astimezone(ZoneInfo(name)).time() if isinstance(name, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return name if local == wait.time_of_day else None


def _waited(until: str, result: StepResult) -> Told:
    if (
        result.until is not None and result.reason is not None
    ):  # an instant that lay in the past when the run came to it
        over = f"It was over at {instant_told(result.until)}, before the run came to it."
        return f"Did not wait {until}: {result.reason}.", [over]
    return f"Waited {until}.", _late(result)


def _late(result: StepResult) -> list[str]:
    """Said where the engine was away when the wait ended."""
    if result.until is None or result.at < result.until + _ON_TIME:
        return []
    return [f"It was over at {instant_told(result.until)}, when nobody came to look."]


def _notified(notify: Notify) -> Told:
    people = [_recipient(each) for each in notify.recipients]
    told = f"Asked for {_MESSAGES[notify.channel]} ({notify.template}) to {', or else '.join(people)}."
    return told, ["Who is written to, and whether at all, the notifier decides when it sends."]


def _recipient(wanted: Recipient) -> str:
    if wanted.owner or wanted.team:
        return "the owner" if wanted.owner else "the team"
    if wanted.role is not None:
        return f"the {wanted.role}"
    return f"contact {wanted.contact}" if wanted.contact is not None else f"the endpoint {wanted.endpoint}"


def _awaited(wait: WaitUntil, result: StepResult) -> Told:
    if result.outcome == "met":
        return "What was waited for has come.", [f"It holds: {wait.condition}."]
    return (
        f"What was waited for did not come within {duration_told(wait.timeout)}.",
        [f"It never held: {wait.condition}."],
    )


def _forked(fork: Branch | Split, result: StepResult) -> Told:
    if isinstance(fork, Branch):
        case = next((each for each in fork.cases if each.name == result.path), None)
        because = f"It holds: {case.when}." if case else f"{_sentence(result.reason or 'no case holds')}."
        return f"Took the way {result.path}.", [because]
    share = next(each.share for each in fork.paths if each.name == result.path)
    of = sum(each.share for each in fork.paths)
    return (
        f"Drew the way {result.path}.",
        [f"Drawn once by the account's id; {share:g} of {of:g} accounts go this way."],
    )


def _tasked(wanted: TaskStep, result: StepResult, task: Task | None) -> Told:
    if result.outcome == "updated":
        told = f"Asked again for the task ‘{wanted.title}’ ({wanted.type})."
        because = [
            f"The account had an open task of this type for this reason, {wanted.reason}: no second one."
        ]
    else:
        told, because = f"Opened the task ‘{wanted.title}’ ({wanted.type}).", []
    return told, [*because, *(_task_now(task) if task else ())]


def _task_now(task: Task) -> Iterator[str]:
    yield f"It belongs to {task.owner or 'nobody'} and is due at {instant_told(task.due_at)}."
    match task.status:
        case "open":
            return
        case "snoozed":
            until = (
                instant_told(task.snoozed_until)
                if task.snoozed_until
                else f"a score of {number_told(task.snoozed_score)}"
            )
            yield f"It is snoozed until {until}."
        case ended:
            outcome = f": {task.outcome}" if task.outcome else ""
            by = f" by {task.done_by}" if task.done_by else ""
            at = f" at {instant_told(task.done_at)}" if task.done_at else ""
            yield f"It is {ended}{by}{at}{outcome}."


def _values(result: StepResult) -> dict[str, object] | None:
    """What the conditions of the step spoke of when it was decided."""
    return None if result.known is None else msgspec.json.decode(result.known, type=dict[str, object])


def _reasons(result: StepResult) -> list[str]:
    return [f"{_sentence(result.reason)}."] if result.reason else []


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
