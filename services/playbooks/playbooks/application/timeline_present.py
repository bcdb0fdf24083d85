"""The last of an active run's story: where it is now, and what has to happen for it to go on."""

from collections.abc import Iterator
from datetime import datetime

from playbooks.application.model import EVERYTHING, Switch
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.timeline_steps import account_zone
from playbooks.application.wording import counted, duration_told, instant_told, wait_told
from playbooks.domain.actions import Until
from playbooks.domain.program import lay_out
from playbooks.domain.run import Run
from playbooks.domain.steps import Approve, Step, WaitUntil


def present_moments(story: RunStory) -> Iterator[Moment]:
    """The step at hand since it came up, and what stands in its way; nothing of a run that has ended."""
    run = story.run
    if run.status != "active" or run.step is None:
        return
    step = lay_out(story.definition).nodes[run.step].step
    yield from _at_hand(story, step)
    if story.pause is not None:
        yield _paused(story.pause, run.started_at)


def _at_hand(story: RunStory, step: Step) -> Iterator[Moment]:
    run, since = story.run, _since(story)
    if run.lease_until is not None:
        yield _calling(story, step, since)
    elif run.held is not None:
        yield Moment(
            at=run.held_since or since,
            what="held",
            told=f"The step {step.name} is held back: {run.held}.",
            because=["It is a step of selling; it is looked at again with each news of the account."],
            step=step.name,
            kind=step.kind,
            until=run.due_at,
        )
    elif run.wake_at is not None:
        yield _waiting(story, step, since)
    elif run.failures == 0:
        yield Moment(
            at=since,
            what="due",
            told=f"The step {step.name} is next.",
            because=suspicion_told(story),
            step=step.name,
            kind=step.kind,
            until=run.due_at,
        )
    if run.failures and run.lease_until is None:
        yield _retrying(story, step, since)


def _since(story: RunStory) -> datetime:
    """When the step at hand came up: after the one before it, or when a person had it tried again."""
    retried = [each.at for each in story.audited if each.action == "retried"]
    return max([story.run.started_at, *(each.at for each in story.results), *retried])


def _waiting(story: RunStory, step: Step, since: datetime) -> Moment:
    told, because = _wait_told(story, step)
    approval = next((each for each in story.approvals if each.step == step.name), None)
    return Moment(
        at=approval.asked_at if approval else since,
        what="waiting",
        told=told,
        because=because,
        step=step.name,
        kind=step.kind,
        ref=approval.id if approval else None,
        until=story.run.wake_at,
    )


def _wait_told(story: RunStory, step: Step) -> tuple[str, list[str]]:
    until = instant_told(story.run.wake_at) if story.run.wake_at else "later"
    match step.action:
        case WaitUntil() as awaited:
            return (
                f"Waits until this holds, at the latest until {until}: {awaited.condition}.",
                [f"After {duration_told(awaited.timeout)} without it the run goes the way timed_out."],
            )
        case Approve() as asked:
            by = "the owner" if asked.by == "owner" else ", ".join(asked.by)
            return (
                f"Waits for a yes of {by} until {until}: ‘{asked.title}’.",
                [f"It expires after {duration_told(asked.expires_in)}."],
            )
    return f"Waits until {until}.", [_rule(story, step.wait)] if step.wait else []


def _rule(story: RunStory, wait: str | Until) -> str:
    return f"The playbook waits {wait_told(wait, account_zone(story, wait, story.run.wake_at))}."


def _calling(story: RunStory, step: Step, since: datetime) -> Moment:
    run = story.run
    return Moment(
        at=since,
        what="calling",
        told=f"A worker is out calling for the step {step.name}, attempt {run.failures}.",
        because=[
            "Whoever does not come back by the end of the claim is refused, and the call is made again."
        ],
        step=step.name,
        kind=step.kind,
        until=run.lease_until,
    )


def _retrying(story: RunStory, step: Step, since: datetime) -> Moment:
    run = story.run
    return Moment(
        at=since,
        what="retrying",
        told=f"The step {step.name} has failed {counted(run.failures, 'time')}, the last time of: {run.error}.",
        because=[*_again(run), *suspicion_told(story)],
        step=step.name,
        kind=step.kind,
        until=run.due_at,
    )


def _again(run: Run) -> list[str]:
    return [f"It is tried again at {instant_told(run.due_at)}."] if run.due_at else []


def suspicion_told(story: RunStory) -> list[str]:
    """Where a worker died with the run in hand."""
    if not story.suspected:
        return []
    return [
        "A worker died with this run in hand, so it is taken apart from most others until a step of it has ended."
    ]


def _paused(switch: Switch, started_at: datetime) -> Moment:
    what = "Everything" if switch.name == EVERYTHING else f"The playbook {switch.name}"
    return Moment(
        at=max(switch.at, started_at),
        what="paused",
        told=f"{what} is paused: no step is taken until somebody resumes it.",
        because=[f"{switch.actor} paused it at {instant_told(switch.at)}: {switch.reason}"],
        actor=switch.actor,
    )
