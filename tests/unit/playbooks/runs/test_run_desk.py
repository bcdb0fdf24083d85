"""People's hands on runs, on the store in memory: what changes, what is refused, and what is kept of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_crossing, a_definition, a_snapshot
from tests.unit.playbooks.runs.scenes import RULES, Answering, Scene, a_scene

from csm_common.errors import ConflictError, InvalidError, NotFoundError
from playbooks.application.actor import Actor
from playbooks.application.handlers.calls import claim_calls, make_call
from playbooks.application.run_desk import RunDesk
from playbooks.domain.actions import Webhook
from playbooks.domain.run import Run
from playbooks.domain.steps import Approve, Step, WaitUntil

DAY = timedelta(days=1)
ANA = Actor("console", "ana")
CALL = Step(name="crm", webhook=Webhook(endpoint="crm"))
ASK = Step(name="ask", approve=Approve(title="Offer a workshop?"))
UNTIL = Step(
    name="recovered", wait_until=WaitUntil(condition="score > 60.0", timeout="14d", otherwise=(TASK,))
)


class Bell:
    """Counts how often the clock's door was woken."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


def a_desk(scene: Scene) -> tuple[RunDesk, Bell]:
    bell = Bell()
    return RunDesk(scene.database, scene.clock, bell), bell


def the_run(scene: Scene) -> Run:
    return scene.runs()[0]


async def failed(scene: Scene) -> Run:
    """The run after its call was refused for good."""
    await scene.call(InvalidError("410 gone"))
    run = the_run(scene)
    assert run.status == "failed"
    return run


async def test_a_failed_run_is_taken_up_again_and_goes_on() -> None:
    scene = await a_scene(a_definition(steps=(CALL, WAIT)))
    run = await failed(scene)
    scene.clock.advance(DAY)
    desk, bell = a_desk(scene)
    handled = await desk.retry(run.id, ANA)
    assert (handled.changed, handled.told) == (True, "It takes step crm up again.")
    assert (handled.run.status, handled.run.failures, handled.run.next_look_at) == ("active", 0, START + DAY)
    assert bell.rung == 1
    await scene.go_on()
    await scene.call(200)
    await scene.go_on()
    assert [each.what for each in (await scene.detail()).timeline] == [
        "entered",
        "retried",
        "step",
        "waiting",
    ]
    [_, again, *_] = (await scene.detail()).timeline
    assert again.because == ["It had failed of: InvalidError: 410 gone."]


async def test_a_second_retry_changes_nothing() -> None:
    scene = await a_scene(a_definition(steps=(CALL,)))
    run = await failed(scene)
    desk, bell = a_desk(scene)
    await desk.retry(run.id, ANA)
    again = await desk.retry(run.id, ANA)
    assert (again.changed, again.run.status, bell.rung) == (False, "active", 1)
    assert [each.action for each in scene.database.state.audit.values()].count("retried") == 1


async def test_a_failed_run_gives_way_to_the_one_that_is_active_for_its_purpose() -> None:
    scene = await a_scene(a_definition(steps=(CALL,)))
    run = await failed(scene)
    await scene.cross("c-2", a_crossing())
    other = next(each for each in scene.runs() if each.id != run.id)
    desk, bell = a_desk(scene)
    with pytest.raises(ConflictError, match=f"Run {other.id} of account_at_risk is active for acme"):
        await desk.retry(run.id, ANA)
    assert bell.rung == 0


async def test_what_has_ended_otherwise_is_not_tried_again_or_cancelled_or_skipped() -> None:
    scene = await a_scene(a_definition(steps=(NOTIFY,)))
    run, (desk, _) = the_run(scene), a_desk(scene)
    with pytest.raises(ConflictError, match="is completed; only a failed one"):
        await desk.retry(run.id, ANA)
    with pytest.raises(ConflictError, match="is completed already"):
        await desk.cancel(run.id, ANA, "no")
    with pytest.raises(ConflictError, match="is completed: it waits for nothing"):
        await desk.skip(run.id, ANA, "no")


async def test_a_run_that_is_not_there_is_told_so() -> None:
    desk, _ = a_desk(Scene())
    for act in (desk.retry("x", ANA), desk.cancel("x", ANA, "no"), desk.skip("x", ANA, "no")):
        with pytest.raises(NotFoundError, match="no run 'x'"):
            await act


async def test_a_cancelled_run_does_nothing_more_and_its_tasks_stay() -> None:
    scene = await a_scene(a_definition(steps=(TASK, WAIT, NOTIFY)))
    desk, _ = a_desk(scene)
    handled = await desk.cancel(the_run(scene).id, ANA, "they called us")
    assert (handled.changed, handled.told) == (True, "It is cancelled; 1 task of it stays open.")
    assert handled.run.reason == "cancelled by person:ana via key:console: they called us"
    sent = len(scene.database.state.messages)
    await scene.go_on(3 * DAY)
    assert len(scene.database.state.messages) == sent
    last = (await scene.detail()).timeline[-1]
    assert (last.what, last.because, last.actor) == (
        "cancelled",
        ["The task ‘Call them’ of maria stays open."],
        "person:ana via key:console",
    )
    [kept] = [each for each in scene.database.state.audit.values() if each.action == "cancelled"]
    assert (kept.subject, kept.account_id) == (f"run:{handled.run.id}", "acme")
    assert kept.detail["open_tasks"] == ["follow_up"]
    again = await desk.cancel(handled.run.id, ANA, "once more")
    assert (again.changed, again.run) == (False, handled.run)


async def test_whoever_comes_back_from_a_call_for_a_cancelled_run_is_refused() -> None:
    scene = await a_scene(a_definition(steps=(CALL, NOTIFY)))
    claimed = await claim_calls(scene.database, scene.clock.now(), RULES, limit=1)
    desk, _ = a_desk(scene)
    handled = await desk.cancel(the_run(scene).id, ANA, "they called us")
    assert await make_call(scene.database, Answering(200), claimed.calls[0], scene.clock, RULES) is None
    assert the_run(scene).status == "cancelled"
    assert (await scene.detail()).run == handled.run


async def test_nobody_is_asked_any_more_for_a_cancelled_run() -> None:
    scene = await a_scene(a_definition(steps=(ASK,)))
    desk, _ = a_desk(scene)
    handled = await desk.cancel(the_run(scene).id, ANA, "they called us")
    assert handled.told == "It is cancelled; 0 tasks of it stay open."
    [asked] = scene.database.state.approvals.values()
    assert asked.status == "expired"


async def test_a_wait_is_skipped_once_however_often_it_is_asked() -> None:
    second = replace(WAIT, name="more")
    scene = await a_scene(a_definition(steps=(WAIT, second)))
    desk, bell = a_desk(scene)
    handled = await desk.skip(the_run(scene).id, ANA, "they are back", "wait")
    assert (handled.changed, handled.told, handled.run.step) == (
        True,
        "The wait of step wait is over.",
        "more",
    )
    await scene.go_on()
    again = await desk.skip(handled.run.id, ANA, "they are back", "wait")
    assert (again.changed, again.run.step, again.run.awaits, bell.rung) == (False, "more", "time", 1)
    assert await scene.told() == [
        "The wait was skipped. | Skipped by person:ana via key:console: they are back.",
        "Waits until 2026-03-04 09:00 UTC. | The playbook waits 2 days.",
    ]


async def test_a_wait_for_a_condition_is_skipped_as_if_it_were_met() -> None:
    scene = await a_scene(a_definition(steps=(UNTIL, NOTIFY)))
    desk, _ = a_desk(scene)
    assert (await desk.skip(the_run(scene).id, ANA, "we know better")).run.step == "tell"
    await scene.go_on()
    assert [each.step for each in (await scene.detail()).timeline] == [None, "recovered", "tell", None]


async def test_the_last_wait_skipped_completes_the_run() -> None:
    scene = await a_scene(a_definition(steps=(WAIT,)))
    desk, _ = a_desk(scene)
    assert (await desk.skip(the_run(scene).id, ANA, "done")).run.status == "completed"


async def test_a_step_that_is_held_back_is_left_out() -> None:
    crossing = replace(a_crossing(), snapshot=a_snapshot(thresholds=["escalated"]))
    scene = await a_scene(a_definition(steps=(replace(NOTIFY, sales=True), WAIT)), crossing=crossing)
    desk, _ = a_desk(scene)
    handled = await desk.skip(the_run(scene).id, ANA, "not now")
    assert (handled.run.step, handled.run.held, handled.run.held_since) == ("wait", None, None)
    assert scene.database.state.messages == []
    assert (await scene.told())[0] == (
        "The step was left out. | Skipped by person:ana via key:console: not now."
    )


@pytest.mark.parametrize(
    ("step", "what_to_do"),
    [(ASK, "POST /v1/approvals/ID:approve"), (CALL, "that ends by itself")],
    ids=["a question", "a call"],
)
async def test_what_is_no_wait_is_not_skipped_and_it_is_told_what_to_do(step: Step, what_to_do: str) -> None:
    scene = await a_scene(a_definition(steps=(step,)))
    desk, _ = a_desk(scene)
    with pytest.raises(ConflictError, match=what_to_do):
        await desk.skip(the_run(scene).id, ANA, "no")


async def test_a_wait_that_has_not_begun_and_one_that_is_not_at_hand_are_not_skipped() -> None:
    scene = Scene()
    await scene.ship(a_definition(steps=(WAIT,)))
    await scene.cross("c-1")
    desk, _ = a_desk(scene)
    with pytest.raises(ConflictError, match="waits for nothing"):
        await desk.skip(the_run(scene).id, ANA, "no")
    with pytest.raises(ConflictError, match="is at step wait, not at other"):
        await desk.skip(the_run(scene).id, ANA, "no", "other")
