"""What a run does at each kind of step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_definition, a_run
from tests.unit.playbooks.engine.examples import (
    approve,
    branch,
    end,
    notify,
    split,
    task,
    until,
    wait,
    wait_until,
    webhook,
)
from tests.unit.playbooks.engine.stepping import CALENDAR, RETRY, a_walk
from tests.unit.playbooks.engine.views import ToldView

from playbooks.domain.definition import Late
from playbooks.domain.interpreter import (
    Answer,
    AskApproval,
    CallWebhook,
    OpenTask,
    RequestNotification,
    advance,
    needs_view,
    skip_wait,
)
from playbooks.domain.program import lay_out
from playbooks.domain.run import Run, StepResult, cancel_run, exit_run, note_failure, retry_run
from playbooks.domain.steps import Path, Split, Step

PROGRAM = lay_out(a_definition(steps=(NOTIFY, WAIT, TASK)))
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
WAKE_AT = START + 2 * DAY


def test_a_notify_step_asks_for_a_message_and_makes_the_next_step_due_at_once() -> None:
    decision = advance(PROGRAM, a_run(), ToldView(), CALENDAR, START)
    assert NOTIFY.notify is not None
    assert decision.effect == RequestNotification(
        step="tell", notify=NOTIFY.notify, requested_at=START, expires_at=START + timedelta(days=3)
    )
    assert decision.result == StepResult(
        run_id="run-1", position=0, step="tell", kind="notify", at=START, outcome="requested", revision=7
    )
    assert decision.run == a_run(position=1, step="wait")


def test_a_wait_decides_its_end_once() -> None:
    waiting = advance(PROGRAM, a_run(position=1, step="wait"), ToldView(), CALENDAR, START)
    assert waiting.run == a_run(position=1, step="wait", awaits="time", wake_at=WAKE_AT, due_at=WAKE_AT)
    assert (waiting.effect, waiting.result) == (None, None)
    assert advance(PROGRAM, waiting.run, None, CALENDAR, WAKE_AT - SECOND).run == waiting.run


def test_a_wait_is_over_when_its_end_has_come_and_needs_to_know_nothing() -> None:
    late = WAKE_AT + timedelta(hours=5)
    run = a_run(position=1, step="wait", awaits="time", wake_at=WAKE_AT, due_at=WAKE_AT)
    assert not needs_view(PROGRAM, run, late)
    decision = advance(PROGRAM, run, None, CALENDAR, late)
    assert decision.result == StepResult(
        run_id="run-1", position=1, step="wait", kind="wait", at=late, outcome="waited", until=WAKE_AT
    )
    assert decision.run == a_run(position=2, step="follow_up", due_at=late)


def test_the_last_step_completes_the_run() -> None:
    decision = advance(PROGRAM, a_run(position=2, step="follow_up"), ToldView(), CALENDAR, START)
    assert TASK.task is not None
    assert decision.effect == OpenTask(step="follow_up", task=TASK.task, due_at=START + DAY)
    assert decision.run == a_run(position=3, step=None, status="completed", ended_at=START, due_at=None)


@pytest.mark.parametrize(
    "run",
    [
        a_run(due_at=START + SECOND),
        a_run(status="exited", due_at=None),
        a_run(status="failed", due_at=None),
        a_run(status="cancelled", due_at=None),
        a_run(status="completed", due_at=None, position=3, step=None),
    ],
    ids=lambda run: run.status,
)
def test_nothing_happens_to_a_run_that_is_not_due(run: Run) -> None:
    decision = advance(PROGRAM, run, ToldView(true={"true"}), CALENDAR, START)
    assert (decision.run, decision.effect, decision.result) == (run, None, None)


def test_a_step_cannot_be_taken_without_knowing_the_account() -> None:
    with pytest.raises(ValueError, match="has to know the account"):
        advance(PROGRAM, a_run(), None, CALENDAR, START)


# ---- waits on a calendar


def test_a_wait_for_a_time_of_day_ends_at_the_next_one_where_the_account_is() -> None:
    walk = a_walk(until(time="09:00", days="working"), view=ToldView(attributes={"timezone": "Asia/Tokyo"}))
    walk.on()
    assert walk.run.wake_at == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    walk.view.attributes = {"timezone": "Europe/Berlin"}
    walk.later(DAY)
    assert [each.until for each in walk.results] == [datetime(2026, 3, 3, 0, 0, tzinfo=UTC)]


def test_a_wait_for_a_date_that_the_account_has_not_is_skipped_with_the_reason() -> None:
    walk = a_walk(until("before_renewal", date="renewal_date", before="30d"), task()).on()
    assert walk.path == [("before_renewal", "skipped"), ("follow_up", "opened")]
    assert walk.results[0].reason == "the account has no date renewal_date"


def test_a_wait_for_a_day_that_has_passed_is_over_at_once() -> None:
    view = ToldView(attributes={"renewal_date": "2026-03-20"})
    wait = until("before_renewal", date="renewal_date", before="30d")
    walk = a_walk(wait, task(), view=view, late=Late(after="1d", then="exit")).on()
    assert walk.path == [("before_renewal", "waited"), ("follow_up", "opened")]
    assert walk.results[0].until == datetime(2026, 2, 18, tzinfo=UTC)


# ---- waits for a condition


def test_a_condition_is_looked_at_once_more_after_it_was_written_down_as_waited_for() -> None:
    walk = a_walk(wait_until(), view=ToldView())
    walk.tick()
    assert (walk.run.awaits, walk.run.wake_at, walk.run.due_at) == ("condition", START + 14 * DAY, START)
    walk.tick()
    assert (walk.run.due_at, walk.results) == (START + 14 * DAY, [])


def test_a_condition_that_comes_to_hold_ends_its_wait() -> None:
    walk = a_walk(wait_until(otherwise=[task("rescue")]), notify()).on().later(DAY)
    walk.view.true.add("good")
    walk.run = replace(walk.run, due_at=walk.now)  # as a snapshot does
    walk.on()
    assert walk.path == [("better", "met"), ("tell", "requested")]
    assert (walk.results[0].reason, walk.results[0].until) == ("good", START + 14 * DAY)


def test_a_condition_that_never_holds_takes_the_other_way_and_joins() -> None:
    walk = a_walk(wait_until(otherwise=[task("rescue")]), notify()).on().later(20 * DAY)
    assert walk.path == [("better", "timed_out"), ("rescue", "opened"), ("tell", "requested")]
    assert (walk.results[0].path, walk.results[0].reason) == ("timed_out", "not within 14d: good")
    assert walk.results[0].at == START + 14 * DAY


def test_a_condition_that_holds_when_time_is_up_is_met() -> None:
    walk = a_walk(wait_until()).on()
    walk.view.true.add("good")
    assert walk.later(14 * DAY).path == [("better", "met")]


# ---- ways


def test_a_branch_takes_the_first_case_that_holds_and_joins() -> None:
    step = branch(big=[notify("offer")], small=[notify("hint")], otherwise=[task("look")])
    found = {
        frozenset(true): a_walk(step, task("after"), view=ToldView(true=set(true))).on().names
        for true in ([], ["big"], ["small"], ["big", "small"])
    }
    assert found == {
        frozenset(): ["by_size", "look", "after"],
        frozenset({"big"}): ["by_size", "offer", "after"],
        frozenset({"small"}): ["by_size", "hint", "after"],
        frozenset({"big", "small"}): ["by_size", "offer", "after"],
    }


def test_a_case_that_cannot_be_decided_does_not_hold_and_its_reason_is_kept() -> None:
    view = ToldView(undecided={"big": "the account has no 'arr'"})
    walk = a_walk(branch(big=[notify()], otherwise=[]), task(), view=view).on()
    assert walk.names == ["by_size", "follow_up"]
    assert (walk.results[0].path, walk.results[0].reason) == (
        "otherwise",
        "no case holds; big: the account has no 'arr'",
    )


def test_a_split_draws_by_the_account_the_same_way_each_time() -> None:
    step = split(short=[notify("brief")], long=[notify("letter")])
    drawn = {}
    for number in range(200):
        walk = a_walk(step)
        walk.run = replace(walk.run, account_id=f"account-{number}", id=f"run-{number}")
        drawn[number] = walk.on().results[0].path
        again = a_walk(step)
        again.run = replace(again.run, account_id=f"account-{number}", id="another")
        assert again.on().results[0].path == drawn[number]
    assert 70 < sum(path == "long" for path in drawn.values()) < 130


def test_a_split_goes_by_its_shares() -> None:
    step = Step(
        name="tone", split=Split(paths=(Path(name="rare", share=0.001), Path(name="usual", share=999.0)))
    )
    assert {a_walk(step).on().results[0].path for _ in range(20)} == {"usual"}


def test_an_end_completes_the_run_with_its_reason_wherever_it_stands() -> None:
    walk = a_walk(branch(big=[branch("again", small=[end()])]), task(), view=ToldView(true={"big", "small"}))
    walk.on()
    assert walk.path == [("by_size", "taken"), ("again", "taken"), ("stop", "ended")]
    assert (walk.run.status, walk.run.reason, walk.run.step) == ("completed", "nothing more to do", None)


# ---- approvals


def test_an_approval_asks_once_and_waits() -> None:
    walk = a_walk(approve(), notify()).on().later(DAY)
    assert walk.effects == [
        AskApproval(step="ask", approve=walk.definition.steps[0].action, expires_at=START + 3 * DAY)  # type: ignore[arg-type]
    ]
    assert (walk.run.awaits, walk.run.due_at, walk.results) == ("approval", START + 3 * DAY, [])


def test_a_yes_goes_on() -> None:
    walk = a_walk(approve(rejected=[task("no")], expired=[task("late")]), notify()).on()
    walk.view.answers["ask"] = Answer(said="approved", by="person:maria", comment="do")
    walk.run = replace(walk.run, due_at=walk.now)
    assert walk.on().path == [("ask", "approved"), ("tell", "requested")]
    assert walk.results[0].reason == "approved by person:maria: do"
    assert walk.run.status == "completed"


def test_a_no_takes_its_way_and_ends_the_run() -> None:
    walk = a_walk(approve(rejected=[task("no"), task("no_again")]), notify()).on()
    walk.view.answers["ask"] = Answer(said="rejected", by="person:maria")
    walk.run = replace(walk.run, due_at=walk.now)
    assert walk.on().path == [("ask", "rejected"), ("no", "opened"), ("no_again", "opened")]
    assert walk.run.status == "completed"


@pytest.mark.parametrize("expired", [[], [task("late")]], ids=["without a way", "with one"])
def test_no_answer_in_time_ends_the_run_too(expired: list[Step]) -> None:
    walk = a_walk(approve(expired=expired), notify()).on().later(4 * DAY)
    assert walk.names == ["ask", *(each.name for each in expired)]
    assert (walk.results[0].outcome, walk.results[0].reason) == ("expired", "nobody answered within 3d")
    assert walk.run.status == "completed"


def test_a_no_inside_of_a_branch_ends_the_run_and_not_only_the_branch() -> None:
    walk = a_walk(branch(big=[approve(), notify("inner")]), notify("outer"), view=ToldView(true={"big"})).on()
    walk.view.answers["ask"] = Answer(said="rejected", by="person:maria")
    walk.run = replace(walk.run, due_at=walk.now)
    assert walk.on().names == ["by_size", "ask"]
    assert walk.run.status == "completed"


def test_a_yes_inside_of_a_branch_joins_what_comes_after() -> None:
    walk = a_walk(branch(big=[approve()]), notify("outer"), view=ToldView(true={"big"})).on()
    walk.view.answers["ask"] = Answer(said="approved", by="person:maria")
    walk.run = replace(walk.run, due_at=walk.now)
    assert walk.on().names == ["by_size", "ask", "outer"]


def test_deep_ways_join_one_after_the_other() -> None:
    inner = wait_until("inner", timeout="1d", otherwise=[split(one=[], two=[])])
    walk = a_walk(branch(big=[inner, task("then")]), notify("last"), view=ToldView(true={"big"})).on()
    assert walk.later(2 * DAY).names == ["by_size", "inner", "tone", "then", "last"]


# ---- calls


def test_a_webhook_waits_for_whoever_makes_the_call() -> None:
    walk = a_walk(webhook(), task())
    made = advance(lay_out(walk.definition), walk.run, walk.view, CALENDAR, START)
    assert made.effect == CallWebhook(step="crm", webhook=walk.definition.steps[0].action)  # type: ignore[arg-type]
    assert (made.run, made.result) == (replace(walk.run, awaits="call"), None)
    assert walk.on().path == [("crm", "called"), ("follow_up", "opened")]
    assert (walk.results[0].reason, walk.results[0].revision) == ("the endpoint answered 200", 7)
    assert (walk.run.lease_until, walk.run.failures, walk.run.error) == (None, 0, None)


# ---- what people and mishaps do


@pytest.mark.parametrize("step", [wait(), wait_until(), until(time="10:30")], ids=lambda step: step.kind)
def test_a_wait_that_a_person_skips_goes_on(step: Step) -> None:
    walk = a_walk(step, notify()).on()
    walk.later(timedelta(hours=1))
    made = skip_wait(lay_out(walk.definition), walk.run, "by person:ana: no need", walk.now)
    assert made.result is not None
    assert (made.result.outcome, made.result.reason, made.result.path) == (
        "skipped",
        "by person:ana: no need",
        None,
    )
    assert (made.run.step, made.run.due_at, made.run.wake_at, made.run.awaits) == (
        "tell",
        walk.now,
        None,
        None,
    )


def test_an_exit_ends_a_run_for_good() -> None:
    waiting = a_run(
        position=1, wake_at=START, due_at=START, awaits="hold", held="x", held_since=START, lease_until=START
    )
    ended = exit_run(waiting, "at_risk was left", START, "crossing-2")
    assert ended == a_run(
        position=1,
        status="exited",
        ended_at=START,
        due_at=None,
        reason="at_risk was left; its step tell was held back since 2026-03-02T09:00:00Z: x",
        exit_crossing_id="crossing-2",
    )


def test_a_run_that_a_person_ends_tells_so() -> None:
    ended = cancel_run(a_run(), "by person:ana: mistake", START)
    assert (ended.status, ended.reason, ended.due_at, ended.step) == (
        "cancelled",
        "by person:ana: mistake",
        None,
        "tell",
    )


def test_a_failed_step_is_tried_again_by_the_schedule_and_then_fails_the_run() -> None:
    once = note_failure(a_run(), "first", RETRY, START)
    assert once == a_run(failures=1, error="first", due_at=START + SECOND)
    twice = note_failure(once, "second", RETRY, START)
    assert twice == a_run(failures=2, error="second", due_at=START + timedelta(seconds=10))
    thrice = note_failure(twice, "third", RETRY, START)
    assert thrice == a_run(
        failures=3,
        error="third",
        status="failed",
        due_at=None,
        ended_at=START,
        reason="a step failed 3 times",
    )


def test_a_failed_run_that_is_tried_again_stands_at_its_step_as_if_it_had_just_come() -> None:
    failed = note_failure(a_run(position=1, step="wait", failures=2), "third", RETRY, START)
    assert failed.status == "failed"
    assert retry_run(failed, START + DAY) == a_run(position=1, step="wait", due_at=START + DAY)


def test_success_forgets_the_failures_before() -> None:
    run = note_failure(a_run(), "first", RETRY, START)
    later = START + SECOND
    after = advance(PROGRAM, run, ToldView(), CALENDAR, later).run
    assert after == a_run(position=1, step="wait", due_at=later)


def test_a_failure_while_waiting_leaves_the_end_of_the_wait_alone() -> None:
    run = a_run(position=1, step="wait", awaits="time", wake_at=WAKE_AT, due_at=WAKE_AT)
    failed = note_failure(run, "odd", RETRY, START)
    assert advance(PROGRAM, failed, None, CALENDAR, START + SECOND).run.due_at == WAKE_AT
    assert advance(PROGRAM, failed, None, CALENDAR, WAKE_AT).result is not None
