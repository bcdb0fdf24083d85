"""How far the runs of a playbook come: for each step who reached it, who is at it, and what became of them there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from playbooks.application.measured import (
    Version,
    Wanted,
    asked_versions,
)
from playbooks.domain.run import Outcome
from playbooks.domain.steps import Step, StepKind, ways


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """Runs at a step as they are stored: results by outcome and by path, and runs whose step at hand this is, by their state."""

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    paths: Mapping[str, int] = field(default_factory=dict)
    active: int = 0
    exited: int = 0
    failed: int = 0
    cancelled: int = 0
    median_hours: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """A step and the runs that `reached` it: `done` with it, `at_it` now, or ended there. `on` is the way it lies on, as
    `step/way`. `outcomes` and `paths` count those that are done. `median_hours` is from a run's start to this step."""

    step: str
    kind: StepKind
    on: str | None
    reached: int
    done: int
    at_it: int
    exited: int
    failed: int
    cancelled: int
    outcomes: Mapping[Outcome, int]
    paths: Mapping[str, int]
    median_hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The steps of a version in the order of its program, and the runs that started from `since` to before `until`."""

    playbook: str
    version: int
    since: datetime | None
    until: datetime | None
    started: int
    completed: int
    steps: Sequence[FunnelStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What is counted of a version's runs; a step that no run has come to is missing."""

    started: int = 0
    completed: int = 0
    steps: Mapping[str, StepCounts] = field(default_factory=dict)


class Funnels(Protocol):
    """Where it is counted. TransientError while the database is away."""

    async def versions(self, playbook: str) -> Sequence[Version]:
        """All versions, the newest first; none where nobody knows the playbook."""
        ...

    async def passed(self, wanted: Wanted) -> Passed:
        """The runs of one version at one moment."""
        ...


async def funnel_of(funnels: Funnels, wanted: Wanted) -> Funnel:
    """The funnel of a version, of the active one where none is asked for (else the newest): each has steps of its own.

    NotFoundError for an unknown playbook or version.
    """
    version = asked_versions(await funnels.versions(wanted.playbook), wanted)[0]
    asked = Wanted(playbook=wanted.playbook, version=version.version, since=wanted.since, until=wanted.until)
    passed = await funnels.passed(asked)
    return Funnel(
        playbook=wanted.playbook,
        version=version.version,
        since=wanted.since,
        until=wanted.until,
        started=passed.started,
        completed=passed.completed,
        steps=[
            _told(step, on, passed.steps.get(step.name, StepCounts()))
            for step, on in _placed(version.definition.steps, None)
        ],
    )


def _placed(steps: Sequence[Step], on: str | None) -> Iterator[tuple[Step, str | None]]:
    for step in steps:
        yield step, on
        for way, inner, _ in ways(step):
            yield from _placed(inner, f"{step.name}/{way}")


def _told(step: Step, on: str | None, counts: StepCounts) -> FunnelStep:
    done = sum(counts.outcomes.values())
    return FunnelStep(
        step=step.name,
        kind=step.kind,
        on=on,
        reached=done + counts.active + counts.exited + counts.failed + counts.cancelled,
        done=done,
        at_it=counts.active,
        exited=counts.exited,
        failed=counts.failed,
        cancelled=counts.cancelled,
        outcomes=counts.outcomes,
        paths=counts.paths,
        median_hours=counts.median_hours,
    )
