"""A run told in the order it happened: why it began, each step and why, what people did to it, where it is now, why it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.timeline_end import end_moments
from playbooks.application.timeline_entry import entry_moments
from playbooks.application.timeline_present import present_moments
from playbooks.application.timeline_steps import step_moments
from playbooks.application.wording import closed
from playbooks.domain.run import Awaits, Run, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as readers see it.

    `step` is the one at hand, or the one at which it ended early. `awaits` tells what it waits for and `waiting_until` until when
    at the latest; `held` why its step is held back. `next_look_at` is when somebody looks at it next. `failures` and `error` are
    of the attempts at the step at hand.
    """

    id: str
    playbook: str
    version: int
    account_id: str
    purpose: str
    priority: int
    status: Status
    crossing_id: str
    started_at: datetime
    step: str | None
    steps_taken: int
    awaits: Awaits | None
    waiting_until: datetime | None
    held: str | None
    held_since: datetime | None
    next_look_at: datetime | None
    failures: int
    error: str | None
    ended_at: datetime | None
    reason: str | None
    exit_crossing_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run and its story."""

    run: RunView
    timeline: Sequence[Moment]


def run_view(run: Run) -> RunView:
    """The run as readers see it."""
    return RunView(
        id=run.id,
        playbook=run.playbook,
        version=run.version,
        account_id=run.account_id,
        purpose=run.purpose,
        priority=run.priority,
        status=run.status,
        crossing_id=run.crossing_id,
        started_at=run.started_at,
        step=run.step,
        steps_taken=run.position,
        awaits=run.awaits,
        waiting_until=run.wake_at,
        held=run.held,
        held_since=run.held_since,
        next_look_at=run.due_at,
        failures=run.failures,
        error=run.error,
        ended_at=run.ended_at,
        reason=run.reason,
        exit_crossing_id=run.exit_crossing_id,
    )


def run_detail(story: RunStory) -> RunDetail:
    """The run and its story, in order."""
    past = sorted([*entry_moments(story), *_retries(story), *step_moments(story)], key=lambda each: each.at)
    moments = [*past, *present_moments(story), *end_moments(story)]
    return RunDetail(run=run_view(story.run), timeline=[_closed(each) for each in moments])


def _closed(moment: Moment) -> Moment:
    """What people write may end with a full stop of its own, or go over several lines."""
    return replace(moment, told=closed(moment.told), because=[closed(each) for each in moment.because])


def _retries(story: RunStory) -> Iterator[Moment]:
    """Where a person had a failed run tried again: the run itself has forgotten its failure by then."""
    for each in story.audited:
        if each.action == "retried":
            yield Moment(
                at=each.at,
                what="retried",
                told=f"A person had the failed step {each.detail.get('step')} tried again.",
                because=[f"It had failed of: {each.detail.get('error')}."],
                step=each.detail.get("step"),
                actor=each.actor,
            )
