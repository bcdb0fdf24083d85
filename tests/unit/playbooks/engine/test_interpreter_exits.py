"""What ends a run early or holds a step back: exits before every step, waits that ended too long ago, sales in bad times."""

from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.engine.examples import (
    approve,
    branch,
    end,
    notify,
    split,
    task,
    wait,
    wait_until,
    webhook,
)
from tests.unit.playbooks.engine.stepping import CALENDAR, LEASE, RETRY, Walk, a_walk
from tests.unit.playbooks.engine.views import ToldView

from playbooks.domain.definition import ExitWhen, Late
from playbooks.domain.interpreter import (
    NO_ANSWER,
    CallWebhook,
    advance,
    call_failed,
    called,
    claim,
    needs_view,
)
from playbooks.domain.program import lay_out
from playbooks.domain.run import Run
from playbooks.domain.steps import Step

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
GONE = ExitWhen(condition="gone")
EVERY_KIND = [
    notify(), task(), webhook(), wait(), wait_until(), branch(big=[]), split(one=[], two=[]), approve(), end(),
]  # fmt: skip
by_kind = pytest.mark.parametrize("step", EVERY_KIND, ids=lambda step: step.kind)


# ---- exits


@by_kind
def test_an_exit_comes_before_a_step_of_every_kind(step: Step) -> None:
    walk = a_walk(step, exit_when=GONE, view=ToldView(true={"gone", "good"})).on()
    assert (walk.results, walk.effects) == ([], [])
    assert (walk.run.status, walk.run.reason, walk.run.step) == ("exited", "exit_when: gone", step.name)


@by_kind
def test_an_exit_is_looked_at_again_before_the_next_step(step: Step) -> None:
    walk = a_walk(notify("first"), step, exit_when=GONE)
    walk.tick()
    walk.view.true.add("gone")
    assert walk.on().names == ["first"]
    assert walk.run.status == "exited"


@pytest.mark.parametrize("step", [wait(), wait_until(), approve()], ids=lambda step: step.kind)
def test_an_exit_comes_before_the_end_of_a_wait(step: Step) -> None:
    walk = a_walk(step, exit_when=GONE).on()
    walk.view.true |= {"gone", "good"}
    walk.later(20 * DAY)
    assert (walk.results, walk.run.status) == ([], "exited")


def test_an_exit_that_cannot_be_decided_ends_nothing() -> None:
    walk = a_walk(notify(), exit_when=GONE, view=ToldView(undecided={"gone": "no 'stage'"})).on()
    assert (walk.names, walk.run.status) == (["tell"], "completed")


def test_with_a_condition_among_its_exits_even_a_plain_wait_has_to_know_the_account() -> None:
    run = a_walk(wait(), exit_when=GONE).on().run
    assert needs_view(lay_out(a_walk(wait(), exit_when=GONE).definition), run, START)
    assert not needs_view(lay_out(a_walk(wait()).definition), run, START)


# ---- late policy


@pytest.mark.parametrize(
    ("late", "hours", "status"),
    [
        (Late(), 30 * 24, "completed"),
        (Late(after="1d", then="exit"), 24, "completed"),
        (Late(after="1d", then="exit"), 25, "exited"),
    ],
    ids=["goes on by default", "just in time", "too late"],
)
def test_a_wait_that_ended_too_long_ago_can_end_the_run(late: Late, hours: int, status: str) -> None:
    walk = a_walk(wait(), notify(), late=late).on()
    walk.now = START + 2 * DAY + hours * HOUR
    walk.on()
    assert walk.run.status == status
    if status == "exited":
        assert walk.run.reason == "its wait ended at 2026-03-04T09:00:00Z, more than 1d ago"
        assert walk.results == []


@pytest.mark.parametrize(
    "step", [wait_until(timeout="2d"), approve(expires_in="2d")], ids=lambda step: step.kind
)
def test_conditions_and_approvals_can_be_too_late_as_well(step: Step) -> None:
    walk = a_walk(step, late=Late(after="1h", then="exit")).on()
    walk.now = START + 2 * DAY + 2 * HOUR
    assert walk.on().run.status == "exited"


def test_a_step_that_is_not_a_wait_is_never_too_late() -> None:
    walk = a_walk(notify(), late=Late(after="1h", then="exit"))
    walk.now = START + 300 * DAY
    assert walk.on().run.status == "completed"


# ---- sales


@pytest.mark.parametrize(
    "step", [notify(sales=True), task(sales=True), webhook(sales=True)], ids=lambda step: step.kind
)
def test_what_is_sold_is_held_back_first_marked_then_looked_at_again(step: Step) -> None:
    walk = a_walk(step, view=ToldView(hold="an escalation is open"))
    walk.tick()
    assert (walk.run.awaits, walk.run.held, walk.run.held_since) == ("hold", "an escalation is open", START)
    assert walk.run.due_at == START
    walk.tick()
    assert walk.run.due_at == START + HOUR
    walk.view.hold = None
    walk.later(HOUR)
    assert walk.names == [step.name]
    assert (walk.run.held, walk.run.held_since, walk.run.status) == (None, None, "completed")


def test_what_is_not_sold_is_not_held_back() -> None:
    walk = a_walk(notify(), task(), webhook(), view=ToldView(hold="an escalation is open")).on()
    assert walk.run.status == "completed"


def test_what_was_held_back_for_thirty_days_is_not_said_any_more() -> None:
    walk = a_walk(notify(sales=True), task(), view=ToldView(hold="an escalation is open")).on()
    walk.later(30 * DAY - SECOND)
    assert walk.run.status == "active"
    walk.later(HOUR)
    assert (walk.run.status, walk.run.reason) == ("exited", "held back for 30 days: an escalation is open")
    assert (walk.results, walk.run.held) == ([], None)


def test_an_exit_ends_what_is_held_back() -> None:
    walk = a_walk(notify(sales=True), exit_when=GONE, view=ToldView(hold="busy")).on()
    walk.view.true.add("gone")
    walk.later(HOUR)
    assert walk.run.status == "exited"
    assert (walk.run.reason or "").endswith("its step tell was held back since 2026-03-02T09:00:00Z: busy")


def test_a_step_that_was_held_back_tells_so_when_it_is_taken() -> None:
    walk = a_walk(notify(sales=True), view=ToldView(hold="busy")).on()
    walk.view.hold = None
    walk.later(HOUR)
    assert walk.path == [("tell", "requested")]
    assert walk.results[0].reason == "held back since 2026-03-02T09:00:00Z: busy"


def test_each_step_is_held_back_for_a_time_of_its_own() -> None:
    walk = a_walk(notify(sales=True), notify("next", sales=True), view=ToldView(hold="busy")).on()
    walk.later(20 * DAY)
    walk.view.hold = None
    walk.now += HOUR
    walk.tick()
    walk.view.hold = "busy again"
    walk.later(20 * DAY)
    assert (walk.names, walk.run.status) == (["tell"], "active")


# ---- claims


def claimed(walk: Walk) -> Run:
    """The run out for its call."""
    made = advance(lay_out(walk.definition), walk.run, walk.view, CALENDAR, walk.now)
    assert isinstance(made.effect, CallWebhook)
    walk.run = claim(made.run, LEASE, RETRY, walk.now)
    return walk.run


def test_a_claim_counts_as_failed_until_somebody_comes_back() -> None:
    walk = a_walk(webhook(), task())
    out = claimed(walk)
    assert (out.fence, out.failures, out.error) == (1, 1, NO_ANSWER)
    assert out.lease_until == out.due_at == START + LEASE
    done = called(lay_out(walk.definition), out, 7, 204, START + SECOND)
    assert (done.run.step, done.run.failures, done.run.error, done.run.lease_until) == (
        "follow_up",
        0,
        None,
        None,
    )
    assert done.run.due_at == START + SECOND


def test_a_call_that_fails_counts_once() -> None:
    walk = a_walk(webhook())
    failed = call_failed(claimed(walk), "TransientError: crm answered 503", RETRY, START)
    assert (failed.failures, failed.error, failed.lease_until) == (
        1,
        "TransientError: crm answered 503",
        None,
    )
    assert (failed.due_at, failed.awaits, failed.status) == (START + SECOND, "call", "active")


def test_a_call_that_nobody_comes_back_from_is_made_again_and_in_the_end_fails() -> None:
    walk = a_walk(webhook())
    fences = []
    for _ in range(3):
        fences.append(claimed(walk).fence)
        assert walk.run.lease_until is not None
        walk.now = walk.run.lease_until
    assert fences == [1, 2, 3]
    ended = claimed(walk)
    assert (ended.status, ended.failures, ended.error) == ("failed", 3, NO_ANSWER)
    assert ended.reason == "a step failed 3 times"


def test_failures_and_deaths_count_together() -> None:
    walk = a_walk(webhook())
    walk.run = call_failed(claimed(walk), "first", RETRY, walk.now)
    walk.now += SECOND
    claimed(walk)
    walk.now += LEASE
    walk.run = call_failed(claimed(walk), "third", RETRY, walk.now)
    assert (walk.run.status, walk.run.failures, walk.run.error) == ("failed", 3, "third")


def test_an_exit_ends_a_run_whose_call_is_to_be_made_again() -> None:
    walk = a_walk(webhook(), exit_when=GONE)
    claimed(walk)
    walk.now += LEASE
    walk.view.true.add("gone")
    assert walk.on().run.status == "exited"
    assert walk.run.lease_until is None


def test_a_call_that_has_come_to_be_held_back_is_not_out_any_more() -> None:
    """Whoever comes back from it late is refused: it is made again, under the same id, once nothing holds it back."""
    walk = a_walk(webhook(sales=True))
    claimed(walk)
    walk.now += LEASE
    walk.view.hold = "an escalation is open"
    walk.tick()
    assert (walk.run.awaits, walk.run.lease_until) == ("hold", None)
    walk.view.hold = None
    walk.later(HOUR)
    assert walk.names == ["crm"]
