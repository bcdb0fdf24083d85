"""What a run does next."""

from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_definition, a_run

from playbooks.domain.interpreter import OpenTask, RequestNotification, advance
from playbooks.domain.run import Run, StepResult, exit_run, note_failure

DEFINITION = a_definition(steps=(NOTIFY, WAIT, TASK))
RETRY = (1.0, 10.0)


def test_a_notify_step_asks_for_a_message_and_makes_the_next_step_due_at_once() -> None:
    decision = advance(DEFINITION, a_run(), START)
    assert NOTIFY.notify is not None
    assert decision.effect == RequestNotification(
        step="tell", notify=NOTIFY.notify, requested_at=START, expires_at=START + timedelta(days=3)
    )
    assert decision.result == StepResult(
        run_id="run-1", position=0, step="tell", kind="notify", at=START, outcome="requested"
    )
    assert decision.run == a_run(position=1)


def test_a_wait_decides_its_end_once() -> None:
    waiting = advance(DEFINITION, a_run(position=1), START)
    wake_at = START + timedelta(days=2)
    assert waiting.run == a_run(position=1, wake_at=wake_at, due_at=wake_at)
    assert waiting.effect is None
    assert waiting.result is None
    assert advance(DEFINITION, waiting.run, wake_at - timedelta(seconds=1)).run == waiting.run


def test_a_wait_is_over_when_its_end_has_come() -> None:
    wake_at = START + timedelta(days=2)
    late = wake_at + timedelta(hours=5)
    decision = advance(DEFINITION, a_run(position=1, wake_at=wake_at, due_at=wake_at), late)
    assert decision.result == StepResult(
        run_id="run-1", position=1, step="wait", kind="wait", at=late, outcome="waited", until=wake_at
    )
    assert decision.run == a_run(position=2, due_at=late)


def test_the_last_step_completes_the_run() -> None:
    decision = advance(DEFINITION, a_run(position=2), START)
    assert TASK.task is not None
    assert decision.effect == OpenTask(step="follow_up", task=TASK.task, due_at=START + timedelta(days=1))
    assert decision.run == a_run(position=3, status="completed", ended_at=START, due_at=None)


@pytest.mark.parametrize(
    "run",
    [
        a_run(due_at=START + timedelta(seconds=1)),
        a_run(status="exited", due_at=None),
        a_run(status="failed", due_at=None),
        a_run(status="completed", due_at=None, position=3),
    ],
)
def test_nothing_happens_to_a_run_that_is_not_due(run: Run) -> None:
    decision = advance(DEFINITION, run, START)
    assert decision.run == run
    assert decision.effect is None
    assert decision.result is None


def test_an_exit_ends_a_run_for_good() -> None:
    waiting = a_run(position=1, wake_at=START, due_at=START)
    ended = exit_run(waiting, "at_risk was left", "crossing-2", START)
    assert ended == a_run(
        position=1,
        status="exited",
        ended_at=START,
        due_at=None,
        reason="at_risk was left",
        exit_crossing_id="crossing-2",
    )


def test_a_failed_step_is_tried_again_by_the_schedule_and_then_fails_the_run() -> None:
    once = note_failure(a_run(), "first", RETRY, START)
    assert once == a_run(failures=1, error="first", due_at=START + timedelta(seconds=1))
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


def test_success_forgets_the_failures_before() -> None:
    run = note_failure(a_run(), "first", RETRY, START)
    later = START + timedelta(seconds=1)
    assert advance(DEFINITION, run, later).run == a_run(position=1, due_at=later)


def test_a_failure_while_waiting_leaves_the_end_of_the_wait_alone() -> None:
    wake_at = START + timedelta(days=2)
    failed = note_failure(a_run(position=1, wake_at=wake_at, due_at=wake_at), "odd", RETRY, START)
    early = START + timedelta(seconds=1)
    assert advance(DEFINITION, failed, early).run.due_at == wake_at
    assert advance(DEFINITION, failed, wake_at).result is not None
