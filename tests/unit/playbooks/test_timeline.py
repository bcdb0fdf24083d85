"""A run's story in the order it happened."""

from dataclasses import replace
from datetime import timedelta

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, a_run

from playbooks.application.reads import RunStory
from playbooks.application.timeline import Moment, run_detail
from playbooks.domain.run import Run, StepResult

LATER = START + timedelta(days=2)

TOLD = StepResult(
    run_id="run-1", position=0, step="tell", kind="notify", at=START, outcome="requested", ref="n-1"
)
WAITED = StepResult(
    run_id="run-1", position=1, step="wait", kind="wait", at=LATER, outcome="waited", until=LATER
)
OPENED = StepResult(
    run_id="run-1", position=2, step="follow_up", kind="task", at=LATER, outcome="updated", ref="task-1"
)

ENTERED = Moment(
    at=START,
    what="entered",
    told="at_risk was entered: score went from 57 to 42, the level is 50",
    crossing_id="crossing-1",
    fact_ids=["fact-1", "fact-2"],
)


def a_story(run: Run, *results: StepResult, **members: object) -> RunStory:
    story = RunStory(
        run=run, definition=a_definition(), crossing=a_crossing(), exit_crossing=None, results=results
    )
    return replace(story, **members)  # type: ignore[arg-type]


def test_a_run_that_waits() -> None:
    detail = run_detail(a_story(a_run(position=1, wake_at=LATER, due_at=LATER), TOLD))
    assert (detail.run.step, detail.run.waiting_until) == ("wait", LATER)
    assert detail.timeline == [
        ENTERED,
        Moment(
            at=START,
            what="step",
            told="a notification was requested",
            step="tell",
            kind="notify",
            outcome="requested",
            ref="n-1",
        ),
        Moment(at=START, what="waiting", told="waits 2d", step="wait", kind="wait", until=LATER),
    ]


def test_a_run_that_is_done() -> None:
    run = a_run(position=3, status="completed", due_at=None, ended_at=LATER)
    detail = run_detail(a_story(run, TOLD, WAITED, OPENED))
    assert (detail.run.step, detail.run.waiting_until) == (None, None)
    assert [(each.what, each.step, each.ref) for each in detail.timeline] == [
        ("entered", None, None),
        ("step", "tell", "n-1"),
        ("step", "wait", None),
        ("step", "follow_up", "task-1"),
        ("completed", None, None),
    ]


def test_a_run_that_was_ended_by_a_recovery() -> None:
    run = a_run(
        position=1,
        status="exited",
        due_at=None,
        ended_at=LATER,
        reason="at_risk was left: score went from 42 to 57",
        exit_crossing_id="c-2",
    )
    last = run_detail(a_story(run, TOLD, exit_crossing=a_crossing(direction="left"))).timeline[-1]
    assert last == Moment(
        at=LATER,
        what="exited",
        told="at_risk was left: score went from 42 to 57",
        crossing_id="c-2",
        fact_ids=["fact-1", "fact-2"],
    )


def test_a_run_that_keeps_trying_and_one_that_has_failed() -> None:
    again = START + timedelta(seconds=10)
    trying = run_detail(a_story(a_run(failures=2, error="ValueError: odd", due_at=again)))
    assert trying.timeline[-1] == Moment(
        at=START,
        what="retrying",
        told="failed 2 times, the last time of ValueError: odd",
        step="tell",
        kind="notify",
        until=again,
    )
    failed = a_run(
        failures=3,
        error="ValueError: odd",
        due_at=None,
        status="failed",
        ended_at=LATER,
        reason="a step failed 3 times",
    )
    assert run_detail(a_story(failed)).timeline[-1] == Moment(
        at=LATER, what="failed", told="a step failed 3 times: ValueError: odd", step="tell"
    )


def test_a_value_that_was_not_known() -> None:
    story = a_story(a_run(), crossing=replace(a_crossing(), before=None))
    assert "score went from unknown to 42" in run_detail(story).timeline[0].told
