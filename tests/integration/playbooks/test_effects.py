"""Counting on PostgreSQL: which accounts are in which rate, what the sample is, what money stands behind it, where runs are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_crossing, a_definition, a_run, received
from tests.unit.playbooks.contracts.trials import DAY, a_trial

from csm_common.errors import NotFoundError
from playbooks.adapters.postgres.effects import PostgresEffects
from playbooks.adapters.postgres.funnels import PostgresFunnels
from playbooks.application.effect import Effect, effect_of
from playbooks.application.funnel import Funnel, FunnelStep, funnel_of
from playbooks.application.measured import (
    Measured,
    Money,
    PathTally,
    RunCounts,
    Wanted,
)
from playbooks.domain.definition import Definition, Goal, Holdout
from playbooks.domain.effect import Arms, Tally
from playbooks.domain.recovery import Observed
from playbooks.domain.run import Run, StepResult
from playbooks.domain.steps import Path, Split, Step
from playbooks.domain.trial import Trial

NAME = "account_at_risk"
HOUR = timedelta(hours=1)
LATER = START + 100 * DAY
"""When the windows of what entered at START are over."""

SPLIT = Step(
    name="tone",
    split=Split(paths=(Path(name="short", steps=(WAIT,)), Path(name="long", steps=(NOTIFY,)))),
)
MEASURED = a_definition(
    NAME,
    steps=(SPLIT, TASK),
    goal=Goal(condition="score != null && score >= 60", within="60d"),
    holdout=Holdout(share=0.5),
)


async def write(
    adapters: Adapters,
    trials: Sequence[Trial] = (),
    runs: Sequence[Run] = (),
    results: Sequence[StepResult] = (),
    definitions: Sequence[Definition] = (MEASURED,),
) -> None:
    async with adapters.transactions.begin() as store:
        for definition in definitions:
            await store.playbooks.ship([definition], START)
        crossings = {run.crossing_id: received(run.crossing_id, a_crossing(run.account_id)) for run in runs}
        await store.crossings.remember(list(crossings.values()), START)
        await store.runs.add(runs)
        await store.runs.record(results)
        await store.trials.add(trials)


async def measured(adapters: Adapters, now: datetime = LATER, planned: int = 1000, **wanted: Any) -> Measured:
    return await PostgresEffects(adapters.engine).measure(
        Wanted(playbook=NAME, **wanted), Arms(treated=planned, held_out=planned), now
    )


async def effect(adapters: Adapters, detect: float = 0.1, **wanted: Any) -> Effect:
    return await effect_of(
        PostgresEffects(adapters.engine),
        Wanted(playbook=wanted.pop("playbook", NAME), **wanted),
        detect,
        LATER,
    )


async def funnel(adapters: Adapters, **wanted: Any) -> Funnel:
    return await funnel_of(PostgresFunnels(adapters.engine), Wanted(playbook=NAME, **wanted))


def treated(account: str, at: datetime = START, **members: Any) -> Trial:
    return a_trial(
        f"{account} treated at {at}",
        account_id=account,
        entered_at=at,
        window_ends_at=at + 60 * DAY,
        **members,
    )


def held_out(account: str, at: datetime = START, **members: Any) -> Trial:
    return a_trial(
        f"{account} held out at {at}",
        account_id=account,
        arm="held_out",
        entered_at=at,
        window_ends_at=at + 60 * DAY,
        **members,
    )


def ended(run_id: str, status: Any, reason: str | None = None, **members: Any) -> Run:
    return a_run(
        run_id,
        account_id=run_id,
        crossing_id=f"crossing of {run_id}",
        status=status,
        due_at=None,
        reason=reason,
        ended_at=START + DAY,
        **members,
    )


def result(
    run_id: str, position: int, step: Step, outcome: Any, at: datetime, path: str | None = None
) -> StepResult:
    return StepResult(
        run_id=run_id, position=position, step=step.name, kind=step.kind, at=at, outcome=outcome, path=path
    )


async def test_a_rate_counts_only_entries_whose_window_is_over(adapters: Adapters) -> None:
    young = LATER - 10 * DAY
    await write(
        adapters,
        [
            treated("a", goal_reached_at=START + DAY),
            treated("b"),
            treated("c", young, goal_reached_at=young + DAY),
            treated("d", young),
            held_out("e"),
        ],
    )
    found = await measured(adapters)
    assert found.treated.tally == Tally(
        entered=4, matured=2, reached=1, reached_early=1, planned=2, planned_reached=1
    )
    assert found.held_out.tally == Tally(entered=1, matured=1, planned=1)


async def test_a_window_is_over_at_its_end(adapters: Adapters) -> None:
    await write(adapters, [treated("a")])
    assert (await measured(adapters, START + 60 * DAY - HOUR)).treated.tally.matured == 0
    assert (await measured(adapters, START + 60 * DAY)).treated.tally.matured == 1


async def test_a_window_is_not_over_before_all_that_was_told_in_it_is_read(adapters: Adapters) -> None:
    await write(adapters, [treated("a")])
    for read, matured in ((START + 59 * DAY, 0), (START + 60 * DAY, 1)):
        async with adapters.transactions.begin() as store:
            await store.freshness.mark({0: read, 1: LATER})
        found = await effect(adapters)
        assert (found.at, found.treated.goal.matured) == (read, matured)


async def test_an_account_counts_once_an_arm_by_its_first_entry(adapters: Adapters) -> None:
    await write(
        adapters,
        [
            treated("a", START + 2 * DAY, goal_reached_at=START + 3 * DAY),
            treated("a", START),
            treated("a", START + DAY),
            held_out("a", START + 4 * DAY),
        ],
    )
    found = await measured(adapters)
    assert (found.treated.tally.entered, found.treated.tally.reached) == (1, 0)
    assert (found.held_out.tally.entered, found.in_both_arms) == (1, 1)


async def test_an_entry_within_the_window_of_one_that_is_not_wanted_does_not_count(
    adapters: Adapters,
) -> None:
    """A held-out account does not enter again within its window; were a treated one to count, the arms would differ in whom they
    take in."""
    other = a_definition(NAME, goal=MEASURED.goal, priority=1)
    trials = [
        treated("a", START),
        treated("a", START + 59 * DAY, version=2),
        treated("b", START),
        treated("b", START + 60 * DAY, version=2, goal_reached_at=LATER),
        held_out("c", START + DAY, version=2),
    ]
    await write(adapters, trials, definitions=(MEASURED, other))
    for wanted in ({"since": START + HOUR}, {"version": 2}):
        found = await measured(adapters, START + 200 * DAY, **wanted)
        assert (found.treated.tally.entered, found.treated.tally.reached) == (1, 1)
        assert found.held_out.tally.entered == 1


async def test_only_what_is_wanted_counts(adapters: Adapters) -> None:
    other = a_definition(NAME, goal=MEASURED.goal, priority=1)
    await write(
        adapters,
        [
            treated("before", START - HOUR),
            treated("from"),
            treated("second", START + HOUR, version=2),
            treated("until", START + DAY),
        ],
        definitions=(MEASURED, other),
    )
    ranged = await measured(adapters, since=START, until=START + DAY)
    assert ranged.treated.tally.entered == 2
    assert (await measured(adapters, version=2)).treated.tally.entered == 1
    assert (await measured(adapters)).treated.tally.entered == 4


async def test_the_planned_sample_is_what_matured_first(adapters: Adapters) -> None:
    hits = {0, 3}
    trials = [
        treated(f"a{number}", START + number * HOUR, goal_reached_at=LATER if number in hits else None)
        for number in range(6)
    ]
    await write(adapters, [*reversed(trials), held_out("e")])
    for now in (START + 60 * DAY + 3 * HOUR, LATER):
        tally = (await measured(adapters, now, planned=3)).treated.tally
        assert (tally.planned, tally.planned_reached) == (3, 1)
    assert (await measured(adapters, planned=4)).treated.tally.planned_reached == 2


async def test_recovery_is_told_by_age_in_hours(adapters: Adapters) -> None:
    await write(
        adapters,
        [
            treated("a", recovered_at=START + 5 * HOUR),
            treated("b", recovered_at=START + 4 * HOUR + timedelta(minutes=1)),
            treated("c", LATER - timedelta(minutes=90)),
            held_out("e", recovered_at=START),
        ],
    )
    found = await measured(adapters)
    assert sorted(found.treated.observed, key=lambda each: each.hours) == [
        Observed(1, 0, 1),
        Observed(5, 2, 0),
    ]
    assert found.held_out.observed == [Observed(0, 1, 0)]


async def test_revenue_is_told_by_currency_and_by_what_is_still_at_stake(adapters: Adapters) -> None:
    await write(
        adapters,
        [
            treated("a", revenue=100.0),
            treated("b", revenue=20.0, recovered_at=START + DAY),
            treated("c", revenue=3.0, goal_reached_at=START + DAY),
            treated("d", revenue=5.0, currency="USD"),
            treated("e", revenue=7.0, currency=None),
            treated("f", revenue=None),
            held_out("g", revenue=1000.0, recovered_at=START + DAY),
        ],
    )
    found = await measured(adapters)
    assert found.treated.revenue == [
        Money(currency="EUR", accounts=3, entered=123.0, at_stake=100.0),
        Money(currency="USD", accounts=1, entered=5.0, at_stake=5.0),
        Money(currency=None, accounts=1, entered=7.0, at_stake=7.0),
    ]
    assert found.held_out.revenue == [Money(currency="EUR", accounts=1, entered=1000.0, at_stake=0.0)]


async def test_runs_are_counted_by_what_became_of_them(adapters: Adapters) -> None:
    runs = [
        a_run("active", account_id="active", crossing_id="crossing of active"),
        ended("done", "completed"),
        ended("failed", "failed", "a step failed 6 times"),
        ended("cancelled", "cancelled", "superseded by nobody: a person's own words"),
        ended("left", "exited", "at_risk left", exit_crossing_id="crossing of left"),
        ended("late", "exited", "its wait ended at 2026-03-02T09:00:00Z, more than 1d ago"),
        ended("held", "exited", "held back for 30 days: an escalation is open"),
        ended(
            "condition",
            "exited",
            "exit_when: account.stage == 'churned'",
            exit_crossing_id="crossing of left",
        ),
        ended(
            "superseded",
            "exited",
            "superseded by rescue: priority 9 before 1",
            exit_crossing_id="crossing of left",
        ),
        ended("odd", "exited", None),
    ]
    await write(adapters, [held_out("e"), held_out("e", START + DAY)], runs)
    assert (await measured(adapters)).runs == RunCounts(
        started=10,
        active=1,
        completed=1,
        exited={"condition": 1, "crossing": 1, "held_back": 1, "late": 1, "other": 1, "superseded": 1},
        failed=1,
        cancelled=1,
        held_out=2,
    )
    nobody = await measured(adapters, since=START + HOUR, until=START + 2 * HOUR)
    assert nobody.runs == RunCounts()


async def test_the_ways_of_a_split_are_told_apart(adapters: Adapters) -> None:
    runs = [ended(name, "completed") for name in ("a", "b", "c")]
    trials = [
        a_trial("a", account_id="a", goal_reached_at=START + DAY),
        a_trial("b", account_id="b"),
        a_trial("c", account_id="c", entered_at=LATER, window_ends_at=LATER + DAY),
    ]
    results = [
        result(name, 0, SPLIT, "drawn", START, path)
        for name, path in (("a", "short"), ("b", "short"), ("c", "long"))
    ]
    await write(adapters, trials, runs, results)
    assert (await measured(adapters)).paths == [
        PathTally(step="tone", path="long", entered=1, matured=0, reached=0),
        PathTally(step="tone", path="short", entered=2, matured=2, reached=1),
    ]


async def test_a_playbook_that_nobody_entered_has_an_answer_too(adapters: Adapters) -> None:
    await write(adapters)
    found = await effect(adapters)
    assert (found.verdict.kind, found.verdict.missing) == ("too_small", Arms(treated=393, held_out=393))
    assert (found.treated.goal.rate, found.uplift, found.experiments, found.cautions) == (None, None, [], [])


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        pytest.param(a_definition(NAME, holdout=Holdout(share=0.5)), "no_goal", id="without a goal"),
        pytest.param(a_definition(NAME, goal=MEASURED.goal), "no_holdout", id="without a holdout"),
    ],
)
async def test_what_cannot_be_measured_is_said_to_be_so(
    adapters: Adapters, definition: Definition, kind: str
) -> None:
    await write(adapters, definitions=(definition,))
    assert (await effect(adapters)).verdict.kind == kind


async def test_the_verdict_is_that_of_the_planned_sample(adapters: Adapters) -> None:
    """33 accounts an arm for 35 points: 28 against 4 of the first, and quite the other way round with those that came after."""
    trials = []
    for number in range(200):
        at = START + number * HOUR
        hits = (number < 28, number < 4 or number > 40)
        reached = [LATER if hit else None for hit in hits]
        trials += [
            treated(f"t{number}", at, goal_reached_at=reached[0]),
            held_out(f"h{number}", at, goal_reached_at=reached[1]),
        ]
    await write(adapters, trials)
    found = await effect(adapters, 0.35)
    assert found.verdict.kind == "helps"
    assert found.verdict.planned == Arms(treated=33, held_out=33)
    assert found.uplift is not None
    assert found.uplift.interval.high < 0


async def test_what_may_mislead_is_said(adapters: Adapters) -> None:
    other = a_definition(NAME, goal=Goal(condition="score != null && score >= 70", within="60d"))
    await write(adapters, [treated("a"), held_out("a", START + DAY)], definitions=(MEASURED, other))
    both, goals = (await effect(adapters)).cautions
    assert both.startswith("1 accounts were treated once and held out once")
    assert goals.startswith("Versions 1, 2 have different goals")
    assert len((await effect(adapters, version=1)).cautions) == 1


async def test_an_unknown_playbook_or_version_is_not_found(adapters: Adapters) -> None:
    await write(adapters)
    with pytest.raises(NotFoundError, match="There is no playbook 'nobody'"):
        await effect(adapters, playbook="nobody")
    with pytest.raises(NotFoundError, match="has no version 7; it has 1"):
        await effect(adapters, version=7)
    with pytest.raises(NotFoundError, match="has no version 7"):
        await funnel(adapters, version=7)


async def test_a_funnel_tells_each_step_in_the_order_of_the_program(adapters: Adapters) -> None:
    runs = [
        a_run("waits", account_id="waits", crossing_id="crossing of waits", step="wait", position=1),
        ended("left", "exited", "at_risk left", step="wait", position=1),
        ended("dead", "failed", "a step failed 6 times", step="follow_up", position=2),
        ended("done", "completed", step=None, position=3),
        ended("new", "cancelled", "a mistake", step="tone"),
    ]
    results = [
        result("waits", 0, SPLIT, "drawn", START + HOUR, "short"),
        result("left", 0, SPLIT, "drawn", START + 3 * HOUR, "short"),
        result("dead", 0, SPLIT, "drawn", START, "long"),
        result("dead", 1, NOTIFY, "requested", START + 2 * HOUR),
        result("done", 0, SPLIT, "drawn", START, "short"),
        result("done", 1, WAIT, "waited", START + 48 * HOUR),
        result("done", 2, TASK, "opened", START + 50 * HOUR),
    ]
    await write(adapters, [], runs, results)
    found = await funnel(adapters)
    assert (found.version, found.started, found.completed) == (1, 5, 1)
    assert found.steps == [
        a_step(
            "tone",
            "split",
            reached=5,
            done=4,
            cancelled=1,
            outcomes={"drawn": 4},
            paths={"long": 1, "short": 3},
            median_hours=0.0,
        ),
        a_step(
            "wait",
            "wait",
            "tone/short",
            reached=3,
            done=1,
            at_it=1,
            exited=1,
            outcomes={"waited": 1},
            median_hours=1.0,
        ),
        a_step("tell", "notify", "tone/long", reached=1, done=1, outcomes={"requested": 1}, median_hours=0.0),
        a_step("follow_up", "task", reached=2, done=1, failed=1, outcomes={"opened": 1}, median_hours=25.0),
    ]


async def test_a_step_that_nobody_reached_is_told_with_noughts(adapters: Adapters) -> None:
    await write(adapters)
    assert [(each.step, each.reached, each.median_hours) for each in (await funnel(adapters)).steps] == [
        ("tone", 0, None), ("wait", 0, None), ("tell", 0, None), ("follow_up", 0, None),
    ]  # fmt: skip


async def test_the_funnel_is_the_active_versions_where_none_is_asked_for(adapters: Adapters) -> None:
    await write(adapters, definitions=(MEASURED, a_definition(NAME), MEASURED))
    assert (await funnel(adapters)).version == 1
    assert [each.step for each in (await funnel(adapters, version=2)).steps] == ["tell", "wait", "follow_up"]


def a_step(step: str, kind: Any, on: str | None = None, **members: Any) -> FunnelStep:
    noughts = {"done": 0, "at_it": 0, "exited": 0, "failed": 0, "cancelled": 0, "paths": {}}
    return FunnelStep(step=step, kind=kind, on=on, **{**noughts, **members})
