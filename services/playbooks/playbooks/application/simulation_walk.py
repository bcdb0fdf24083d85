"""One account through one playbook in pretended time: would it enter, what would be done when and why, until the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from csm_common.contracts.health import AccountSnapshot
from playbooks.application.model import Playbook
from playbooks.application.reads import EntryFilter, RunFilter, RunStory
from playbooks.application.simulation import Called, News, Requested, Simulator
from playbooks.application.simulation_account import SimulatedAccount, State
from playbooks.application.timeline import RunDetail, run_detail
from playbooks.domain.entry import RefusalCode

MOST_RUNS = 100
"""Of one account in one scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """A threshold is crossed."""

    threshold: str
    direction: Literal["entered", "left"]
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What happens to the account at an instant: it becomes so, then crosses that."""

    at: datetime
    state: State | None = None
    cross: Cross | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """An account as it is when it crosses `cross` at `at`, and what becomes of it afterwards, until `until`."""

    snapshot: AccountSnapshot
    cross: Cross
    at: datetime
    until: datetime
    turns: Sequence[Turn] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What a crossing meant for the playbook: `run_id` where it started a run, otherwise why it did not."""

    at: datetime
    outcome: Literal["started", "refused", "held_out"]
    run_id: str | None = None
    code: RefusalCode | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A task that would have been given."""

    at: datetime
    step: str | None
    type: str
    title: str
    reason: str
    owner: str | None
    due_at: datetime
    status: str
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that would have been asked, and what was said."""

    at: datetime
    step: str
    title: str
    by: Sequence[str]
    expires_at: datetime
    status: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """All that came of a scenario, each in the order it happened. `entry` is what its first crossing meant, `entries` what all of
    them did; `runs` are told step by step."""

    playbook: str
    version: int
    account_id: str
    at: datetime
    until: datetime
    entry: Entered | None
    entries: Sequence[Entered]
    runs: Sequence[RunDetail]
    messages: Sequence[Requested]
    tasks: Sequence[Work]
    approvals: Sequence[Question]
    webhooks: Sequence[Called]
    notes: Sequence[str] = field(default_factory=list)


async def walk(simulator: Simulator, playbook: Playbook, scenario: Scenario) -> Walk:
    """Play the scenario and tell what came of it."""
    simulator.sandbox.install(playbook, active=True)
    await _play(simulator, scenario)
    reads, mine = simulator.sandbox.reads, playbook.name
    found = await reads.runs(RunFilter(playbook=mine, started_from=scenario.at), MOST_RUNS, None)
    stories = [story for run in reversed(found) if (story := await reads.run(run.id)) is not None]
    entries = await reads.entries(EntryFilter(playbook=mine), MOST_RUNS, None)
    told = [
        Entered(
            at=each.decided_at, outcome=each.outcome, run_id=each.run_id, code=each.code, reason=each.reason
        )
        for each in reversed(entries)
    ]
    return Walk(
        playbook=mine,
        version=playbook.version,
        account_id=scenario.snapshot.account_id,
        at=scenario.at,
        until=scenario.until,
        entry=told[0] if told else None,
        entries=told,
        runs=[run_detail(story) for story in stories],
        messages=[each for each in simulator.requests if each.run_id in {run.id for run in found}],
        tasks=_work(stories),
        approvals=_questions(stories),
        webhooks=[each for each in simulator.endpoints.called if each.body["playbook"] == mine],
    )


async def _play(simulator: Simulator, scenario: Scenario) -> None:
    account = SimulatedAccount(scenario.snapshot)
    first = Turn(at=scenario.at, cross=scenario.cross)
    for turn in (first, *sorted(scenario.turns, key=lambda each: each.at)):
        if turn.at > scenario.until:
            break
        await simulator.advance(turn.at)
        if turn.state is not None:
            await simulator.feed(account.become(turn.state, turn.at))
        if turn.cross is not None:
            await simulator.feed(crossed(account, turn.cross, turn.at))
    await simulator.advance(scenario.until)


def crossed(account: SimulatedAccount, cross: Cross, at: datetime) -> News:
    """The news of a crossing; values that are not given are the account's own."""
    members = {"before": cross.before, "after": cross.after}
    given = {name: value for name, value in members.items() if value is not None}
    return account.cross(cross.threshold, cross.direction, at, **given)


def _work(stories: Sequence[RunStory]) -> list[Work]:
    tasks = {each.id: each for story in stories for each in story.tasks.values()}
    return [
        Work(
            at=each.created_at,
            step=each.step,
            type=each.type,
            title=each.title,
            reason=each.reason,
            owner=each.owner,
            due_at=each.due_at,
            status=each.status,
            outcome=each.outcome,
        )
        for each in sorted(tasks.values(), key=lambda task: task.created_at)
    ]


def _questions(stories: Sequence[RunStory]) -> list[Question]:
    asked = [each for story in stories for each in story.approvals]
    return [
        Question(
            at=each.asked_at,
            step=each.step,
            title=each.title,
            by=each.by,
            expires_at=each.expires_at,
            status=each.status,
            answered_at=each.answered_at,
        )
        for each in asked
    ]
