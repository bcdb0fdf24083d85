"""Stories of runs as a whole: how they began, what stands in their way, how they ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_crossing, a_definition, a_run, a_snapshot
from tests.unit.playbooks.contracts.rows import a_result, a_task
from tests.unit.playbooks.runs.scenes import a_scene

from csm_common.contracts.health import Cause, MovedPart
from playbooks.application.model import EVERYTHING, Audited, Switch
from playbooks.application.moments import Moment
from playbooks.application.reads import RunStory
from playbooks.application.timeline import run_detail
from playbooks.application.timeline_entry import entry_moments
from playbooks.domain.actions import Webhook
from playbooks.domain.definition import Entry, Holdout, Limits
from playbooks.domain.run import Run
from playbooks.domain.steps import Step

DAY = timedelta(days=1)
LATER = START + DAY
CALL = Step(name="crm", webhook=Webhook(endpoint="crm"))


def a_story(run: Run | None = None, **members: Any) -> RunStory:
    """A run of tell, wait, crm, follow_up at its first step."""
    definition = a_definition(steps=(NOTIFY, WAIT, CALL, TASK))
    return replace(RunStory(run=run or a_run(), definition=definition, crossing=a_crossing()), **members)


def told(story: RunStory) -> list[str]:
    """The sentences with their reasons, without how it began."""
    return [" | ".join([each.told, *each.because]) for each in run_detail(story).timeline[1:]]


async def test_every_rule_that_let_an_account_in_is_told() -> None:
    definition = a_definition(
        audience="account.plan == 'pro' && score < 50.0",
        entry=Entry(once_per="30d"),
        purpose="adoption",
        holdout=Holdout(share=0.025, programme="retention"),
        limits=Limits(starts_per_hour=200),
    )
    scene = await a_scene(definition)
    assert (await scene.detail()).timeline[0] == Moment(
        at=START,
        what="entered",
        told="at_risk was entered: score went from 57 to 42, the level is 50.",
        because=[
            "What moved most, in points: logins (30 to 15).",
            "It came of 2 facts.",
            "The account is in the audience: account.plan == 'pro' && score < 50.0.",
            "It may enter once per 30 days, and had not entered before.",
            "The account had no other active run that serves adoption.",
            "It was drawn among the accounts of retention that are treated; 2.5% are held out.",
            "It was within the limit of 200 starts in an hour.",
        ],
        revision=1,
        values={"account.plan": "pro", "score": 42.0},
        crossing_id="c-1",
        fact_ids=["fact-1", "fact-2"],
    )


async def test_an_account_that_enters_again_is_told_when_it_entered_last() -> None:
    scene = await a_scene(a_definition(entry=Entry(once_per="3d")))
    await scene.go_on(4 * DAY)
    await scene.cross("c-2", a_crossing())
    [_, again] = scene.runs()
    assert "It may enter once per 3 days, and had last entered at 2026-03-02 09:00 UTC." in (
        (await scene.detail(again.id)).timeline[0].because
    )


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (Cause(kind="facts", fact_ids=["f"]), "It came of 1 fact."),
        (Cause(kind="timer"), "It came of the passing of time: no new fact was needed."),
        (Cause(kind="model"), "It came of a change of the scorecard, for which outreach was asked."),
        (Cause(kind="source"), "It came of a source that feeds all accounts."),
    ],
    ids=lambda each: each.kind if isinstance(each, Cause) else "",
)
def test_what_made_the_crossing_is_told(cause: Cause, sentence: str) -> None:
    [entered] = entry_moments(a_story(crossing=replace(a_crossing(), cause=cause)))
    assert sentence in entered.because


def test_of_what_moved_the_most_is_told_and_unknown_values_are_called_so() -> None:
    parts = [
        MovedPart(measure="a", before=1.0, after=2.0),
        MovedPart(measure="b", before=20.0, after=None),
        MovedPart(measure="c", before=10.0, after=5.0),
        MovedPart(measure="d", before=10.0, after=7.0),
    ]
    [entered] = entry_moments(a_story(crossing=replace(a_crossing(), parts=parts, before=None)))
    assert entered.told == "at_risk was entered: score went from unknown to 42, the level is 50."
    assert entered.because[0] == "What moved most, in points: b (20 to unknown), c (10 to 5) and d (10 to 7)."
    [still] = entry_moments(a_story(crossing=replace(a_crossing(), parts=[])))
    assert still.because[0] == "It came of 2 facts."


async def test_a_run_that_takes_the_place_of_another_and_the_one_that_makes_room() -> None:
    low = a_definition("low", purpose="adoption", steps=(WAIT,))
    high = a_definition(
        "high", purpose="adoption", priority=10, threshold="critical", steps=(replace(WAIT, name="w"),)
    )
    scene = await a_scene(low, high)
    scene.clock.advance(DAY)
    await scene.cross("c-2", a_crossing(threshold="critical"))
    loser, winner = scene.runs()
    entered, superseded = (await scene.detail(winner.id)).timeline[:2]
    assert "It outranks the run that served adoption." in entered.because
    assert (superseded.told, superseded.because) == (
        f"It took the place of run {loser.id} of low.",
        ["Both serve adoption, and high has priority 10, low 0."],
    )
    assert (superseded.what, superseded.ref) == ("superseded", loser.id)
    exited = (await scene.detail(loser.id)).timeline[-1]
    assert (exited.told, exited.because, exited.ref) == (
        f"Run {winner.id} of high took its place.",
        ["Both serve adoption, and high has priority 10, this 0."],
        winner.id,
    )


def test_a_run_that_is_about_to_begin() -> None:
    [_, due] = run_detail(a_story()).timeline
    assert due == Moment(
        at=START,
        what="due",
        told="The step tell is next.",
        because=[],
        step="tell",
        kind="notify",
        until=START,
    )


def test_a_run_that_a_worker_died_with() -> None:
    alone = "A worker died with this run in hand, so it is taken apart from most others until a step of it has ended."
    assert told(a_story(suspected=True)) == [f"The step tell is next. | {alone}"]
    died = a_run(failures=1, error="the worker died in this step", due_at=LATER)
    assert told(a_story(died, suspected=True)) == [
        "The step tell has failed 1 time, the last time of: the worker died in this step."
        f" | It is tried again at 2026-03-03 09:00 UTC. | {alone}"
    ]


def test_a_run_that_a_worker_is_out_calling_for() -> None:
    out = a_run(
        step="crm",
        position=2,
        awaits="call",
        lease_until=LATER,
        due_at=LATER,
        fence=3,
        failures=2,
        error="nobody came back",
    )
    [calling] = run_detail(a_story(out)).timeline[1:]
    assert (calling.what, calling.until) == ("calling", LATER)
    assert calling.told == "A worker is out calling for the step crm, attempt 2."


def test_a_run_of_a_playbook_that_is_paused() -> None:
    pause = Switch(name="account_at_risk", state="paused", reason="wrong words", actor="key:ops", at=LATER)
    assert told(a_story(pause=pause))[-1] == (
        "The playbook account_at_risk is paused: no step is taken until somebody resumes it."
        " | key:ops paused it at 2026-03-03 09:00 UTC: wrong words."
    )
    everything = run_detail(a_story(pause=replace(pause, name=EVERYTHING, at=START - DAY))).timeline[-1]
    assert everything.told.startswith("Everything is paused")
    assert (everything.at, everything.actor) == (START, "key:ops")
    ended = a_run(status="completed", step=None, due_at=None, ended_at=LATER)
    assert [each.what for each in run_detail(a_story(ended, pause=pause)).timeline] == [
        "entered",
        "completed",
    ]


def audited(action: str, at: timedelta, **detail: Any) -> Audited:
    return Audited(
        at=START + at, actor="person:ana via key:console", action=action, subject="run:run-1", detail=detail
    )


def test_a_run_that_was_cancelled_tells_who_did_it_and_what_stays() -> None:
    cancelled = a_run(
        status="cancelled", step="wait", due_at=None, ended_at=LATER, reason="cancelled by ana: they called"
    )
    tasks = {
        "task-1": a_task("task-1", owner=None),
        "task-2": a_task("task-2", title="Write", status="snoozed"),
        "task-3": a_task("task-3", status="done"),
    }
    story = a_story(cancelled, tasks=tasks, audited=[audited("cancelled", DAY)])
    last = run_detail(story).timeline[-1]
    assert (last.told, last.because, last.actor, last.step) == (
        "A person ended the run: cancelled by ana: they called.",
        ["The task ‘Call them’ of nobody stays open.", "The task ‘Write’ of maria stays snoozed."],
        "person:ana via key:console",
        "wait",
    )
    assert run_detail(replace(story, audited=[])).timeline[-1].actor is None


def test_a_run_that_was_taken_up_again_remembers_its_failure() -> None:
    retried = audited("retried", 2 * DAY, step="crm", error="OSError: away")
    story = a_story(
        a_run(step="crm", position=1, due_at=START + 2 * DAY),
        results=[a_result()],
        audited=[audited("notification_requested", timedelta(0)), retried],
    )
    [_, step, again, due] = run_detail(story).timeline
    assert (step.what, due.at) == ("step", START + 2 * DAY)
    assert (again.what, again.told, again.because, again.actor) == (
        "retried",
        "A person had the failed step crm tried again.",
        ["It had failed of: OSError: away."],
        "person:ana via key:console",
    )


def test_a_run_that_has_failed() -> None:
    failed = a_run(
        status="failed",
        due_at=None,
        ended_at=LATER,
        failures=3,
        error="ValueError: odd",
        reason="a step failed 3 times",
    )
    assert told(a_story(failed)) == [
        "The run failed: a step failed 3 times. | The last error: ValueError: odd."
    ]


@pytest.mark.parametrize("status", ["active", "completed", "exited", "failed", "cancelled"])
def test_every_state_has_a_last_word(
    status: Literal["active", "completed", "exited", "failed", "cancelled"],
) -> None:
    active = status == "active"
    run = a_run(status=status, due_at=START if active else None, ended_at=None if active else LATER)
    last = run_detail(a_story(run)).timeline[-1]
    assert last.what == {"active": "due"}.get(status, status)
    assert last.told.endswith(".")


def test_what_ended_a_run_before_its_crossing_was_kept_is_still_told() -> None:
    exited = a_run(status="exited", due_at=None, ended_at=LATER, exit_crossing_id="c-2")
    last = run_detail(a_story(exited)).timeline[-1]
    assert last.told == "The run ended early: for no reason that was given."
    assert last.fact_ids == []
    told_crossing = replace(a_crossing(direction="left"), snapshot=a_snapshot(revision=9))
    last = run_detail(a_story(exited, exit_crossing=told_crossing)).timeline[-1]
    assert (last.revision, last.fact_ids) == (9, ["fact-1", "fact-2"])
