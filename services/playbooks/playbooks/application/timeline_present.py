"""The end of a run's story: where it is now and what has to happen for it to go on, or why it ended."""

from collections.abc import Iterator
from datetime import datetime

from playbooks.application.grounds import values_of
from playbooks.application.model import EVERYTHING, Known, Switch
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.wording import cause_told, counted, duration_told, instant_told, wait_told
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
            because=_alone(story),
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
    return f"Waits until {until}.", [f"The playbook waits {wait_told(step.wait)}."] if step.wait else []


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
        because=[*_again(run), *_alone(story)],
        step=step.name,
        kind=step.kind,
        until=run.due_at,
    )


def _again(run: Run) -> list[str]:
    return [f"It is tried again at {instant_told(run.due_at)}."] if run.due_at else []


def _alone(story: RunStory) -> list[str]:
    if not story.alone:
        return []
    return ["A worker died with this run in hand, so it is taken by itself until a step of it has ended."]


def _paused(switch: Switch, started_at: datetime) -> Moment:
    what = "Everything" if switch.name == EVERYTHING else f"The playbook {switch.name}"
    return Moment(
        at=max(switch.at, started_at),
        what="paused",
        told=f"{what} is paused: no step is taken until somebody resumes it.",
        because=[f"{switch.actor} paused it at {instant_told(switch.at)}: {switch.reason}"],
        actor=switch.actor,
    )


def end_moments(story: RunStory) -> Iterator[Moment]:
    """Why the run ended; nothing of one that is active."""
    run = story.run
    if run.ended_at is None:
        return
    at = run.ended_at
    match run.status:
        case "completed":
            told = (
                f"The run is complete: {run.reason}."
                if run.reason
                else "The run is complete: all steps are done."
            )
            yield Moment(at=at, what="completed", told=told)
        case "failed":
            yield Moment(
                at=at,
                what="failed",
                told=f"The run failed: {run.reason}.",
                because=[f"The last error: {run.error}.", *_alone(story)],
                step=run.step,
            )
        case "cancelled":
            yield _cancelled(story, at)
        case "exited":
            yield _exited(story, at)


def _cancelled(story: RunStory, at: datetime) -> Moment:
    by = next((each.actor for each in reversed(story.audited) if each.action == "cancelled"), None)
    left = [each for each in story.tasks.values() if each.status in ("open", "snoozed")]
    return Moment(
        at=at,
        what="cancelled",
        told=f"A person ended the run: {story.run.reason}.",
        because=[
            f"The task ‘{each.title}’ of {each.owner or 'nobody'} stays {each.status}." for each in left
        ],
        step=story.run.step,
        actor=by,
    )


_BY_CONDITION = "exit_when: "


def _exited(story: RunStory, at: datetime) -> Moment:
    run, crossing = story.run, story.exit_crossing
    told, because = _exit_told(story)
    condition = (run.reason or "").partition(_BY_CONDITION)[2]
    known = Known(snapshot=crossing.snapshot, crossing=story.crossing) if crossing and condition else None
    return Moment(
        at=at,
        what="exited",
        told=told,
        because=because,
        step=run.step,
        ref=story.replaced_by.id if story.replaced_by else None,
        revision=crossing.snapshot.revision if crossing else None,
        values=values_of(condition, known) if known else None,
        crossing_id=run.exit_crossing_id,
        fact_ids=crossing.cause.fact_ids if crossing else [],
    )


def _exit_told(story: RunStory) -> tuple[str, list[str]]:
    run, other, reason = story.run, story.replaced_by, story.run.reason or "for no reason that was given"
    if other is not None:
        why = f"Both serve {run.purpose}, and {other.playbook} has priority {other.priority}, this {run.priority}."
        return f"Run {other.id} of {other.playbook} took its place.", [why]
    if reason.startswith(_BY_CONDITION):
        return f"The run ended early, for its exit condition holds: {reason.removeprefix(_BY_CONDITION)}.", []
    because = [cause_told(story.exit_crossing.cause)] if story.exit_crossing else []
    return f"The run ended early: {reason}.", because
