"""The end of a run's story: why it ended, and what stays of it."""

from collections.abc import Iterator
from datetime import datetime

from playbooks.application.grounds import values_of
from playbooks.application.model import Known
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.timeline_present import suspicion_told
from playbooks.application.wording import cause_told

_BY_CONDITION = "exit_when: "


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
                because=[f"The last error: {run.error}.", *suspicion_told(story)],
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
