"""A run told in the order it happened: why it began, each step, what it waits for, and why it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from playbooks.application.reads import RunStory
from playbooks.application.wording import crossing_told
from playbooks.domain.definition import Definition
from playbooks.domain.run import Outcome, Run, Status, StepResult
from playbooks.domain.steps import StepKind

What = Literal["entered", "step", "waiting", "retrying", "completed", "exited", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the story; `told` is a sentence for people, the rest is for programs.

    `ref` is the id of the notification or task that a step led to; `until` when a wait ends or ended, or when a failed step is
    tried again; `fact_ids` are the facts behind the crossing.
    """

    at: datetime
    what: What
    told: str
    step: str | None = None
    kind: StepKind | None = None
    outcome: Outcome | None = None
    ref: str | None = None
    until: datetime | None = None
    crossing_id: str | None = None
    fact_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as readers see it. `step` is the one at hand, `waiting_until` when its wait ends; None once the run has ended."""

    id: str
    playbook: str
    version: int
    account_id: str
    status: Status
    crossing_id: str
    started_at: datetime
    step: str | None
    waiting_until: datetime | None
    ended_at: datetime | None
    reason: str | None
    failures: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run and its story."""

    run: RunView
    timeline: Sequence[Moment]


def run_view(run: Run, definition: Definition) -> RunView:
    """The run as readers see it."""
    return RunView(
        id=run.id,
        playbook=run.playbook,
        version=run.version,
        account_id=run.account_id,
        status=run.status,
        crossing_id=run.crossing_id,
        started_at=run.started_at,
        step=definition.steps[run.position].name if run.status == "active" else None,
        waiting_until=run.wake_at,
        ended_at=run.ended_at,
        reason=run.reason,
        failures=run.failures,
        error=run.error,
    )


def run_detail(story: RunStory) -> RunDetail:
    """The run and its story, in order."""
    run = story.run
    moments = [
        _entered(story),
        *(_step(each) for each in story.results),
        *_at_hand(story),
        *_ended(story),
    ]
    return RunDetail(run=run_view(run, story.definition), timeline=moments)


def _entered(story: RunStory) -> Moment:
    return Moment(
        at=story.run.started_at,
        what="entered",
        told=crossing_told(story.crossing),
        crossing_id=story.run.crossing_id,
        fact_ids=story.crossing.cause.fact_ids,
    )


def _step(result: StepResult) -> Moment:
    return Moment(
        at=result.at,
        what="step",
        told=_STEPS_TOLD[result.outcome],
        step=result.step,
        kind=result.kind,
        outcome=result.outcome,
        ref=result.ref,
        until=result.until,
    )


_STEPS_TOLD: dict[Outcome, str] = {
    "requested": "a notification was requested",
    "waited": "the wait is over",
    "opened": "a task was opened",
    "updated": "the open task of this type and reason was updated",
}


def _at_hand(story: RunStory) -> Iterator[Moment]:
    """The step at hand, since the one before it was done."""
    run = story.run
    if run.status != "active":
        return
    step = story.definition.steps[run.position]
    since = story.results[-1].at if story.results else run.started_at
    if run.wake_at is not None:
        told = f"waits {step.wait}"
        yield Moment(at=since, what="waiting", told=told, step=step.name, kind="wait", until=run.wake_at)
    if run.failures:
        told = f"failed {run.failures} times, the last time of {run.error}"
        yield Moment(at=since, what="retrying", told=told, step=step.name, kind=step.kind, until=run.due_at)


def _ended(story: RunStory) -> Iterator[Moment]:
    run = story.run
    if run.ended_at is None or run.status == "active":
        return
    if run.status == "completed":
        yield Moment(at=run.ended_at, what="completed", told="all steps are done")
    elif run.status == "failed":
        step = story.definition.steps[run.position].name
        yield Moment(at=run.ended_at, what="failed", told=f"{run.reason}: {run.error}", step=step)
    else:
        yield Moment(
            at=run.ended_at,
            what="exited",
            told=run.reason or "",
            crossing_id=run.exit_crossing_id,
            fact_ids=story.exit_crossing.cause.fact_ids if story.exit_crossing else (),
        )
