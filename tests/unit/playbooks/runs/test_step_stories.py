"""Golden stories: for each kind of step what is told of it, by the real handlers on the store in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_crossing, a_definition, a_snapshot
from tests.unit.playbooks.runs.scenes import Scene, a_scene

from csm_common.errors import InvalidError
from playbooks.domain.actions import Assignee, Recipient, Until, Webhook
from playbooks.domain.definition import ExitWhen, Late
from playbooks.domain.steps import Approve, Branch, Case, End, Path, Split, Step, WaitUntil

DAY = timedelta(days=1)
DONE = "The run is complete: all steps are done."

SCORE = "score != null && score >= 60.0"
UNTIL = Step(name="recovered", wait_until=WaitUntil(condition=SCORE, timeout="14d", otherwise=(TASK,)))
BIG = Case(name="big", when="account.arr >= 100000.0", steps=(TASK,))
BRANCH = Step(name="by_size", branch=Branch(cases=(BIG,)))
ASK = Step(name="ask", approve=Approve(title="Offer a workshop?", by=("ana", "ben"), expires_in="3d"))
CALL = Step(name="crm", webhook=Webhook(endpoint="crm"))


async def playing(*steps: Step, **members: Any) -> Scene:
    """A playbook of these steps, begun for an account with a revenue of 120,000."""
    attributes = {
        "owner": "maria",
        "arr": 120000.0,
        "timezone": "Europe/Berlin",
        "renewal_date": "2026-04-01",
    }
    crossing = replace(a_crossing(), snapshot=a_snapshot(attributes=attributes))
    return await a_scene(a_definition(steps=steps, **members), crossing=crossing)


async def test_a_message_and_whom_it_is_for() -> None:
    scene = await playing(NOTIFY)
    assert await scene.told() == [
        "Asked for an email (account_at_risk) to the owner, or else the champion, or else contact c-7."
        " | Who is written to, and whether at all, the notifier decides when it sends.",
        DONE,
    ]


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("email", "Asked for an email"),
        ("slack", "Asked for a Slack message"),
        ("teams", "Asked for a Teams message"),
        ("webhook", "Asked for a webhook message"),
    ],
)
async def test_how_a_message_was_asked_for(channel: Literal["email", "slack"], told: str) -> None:
    assert NOTIFY.notify is not None
    asked = replace(NOTIFY.notify, channel=channel, recipients=(Recipient(team=True),))
    [first, _] = await (await playing(Step(name="tell", notify=asked))).told()
    assert first.startswith(f"{told} (account_at_risk) to the team. |")


async def test_a_message_to_an_endpoint() -> None:
    assert NOTIFY.notify is not None
    asked = replace(NOTIFY.notify, channel="slack", recipients=(Recipient(endpoint="cs_alerts"),))
    [first, _] = await (await playing(Step(name="tell", notify=asked))).told()
    assert first.startswith("Asked for a Slack message (account_at_risk) to the endpoint cs_alerts. |")


async def test_a_wait_and_its_end() -> None:
    scene = await playing(WAIT)
    assert await scene.told() == ["Waits until 2026-03-04 09:00 UTC. | The playbook waits 2 days."]
    await scene.go_on(2 * DAY)
    assert await scene.told() == ["Waited 2 days.", DONE]


async def test_a_wait_that_ended_while_the_engine_was_away() -> None:
    scene = await playing(WAIT)
    await scene.go_on(3 * DAY)
    assert (await scene.told())[0] == (
        "Waited 2 days. | It was over at 2026-03-04 09:00 UTC, when nobody came to look."
    )


async def test_a_date_that_lay_in_the_past_when_the_run_came_to_it() -> None:
    scene = await playing(Step(name="early", wait=Until(date="renewal_date", before="60d")))
    assert await scene.told() == [
        "Did not wait until 60 days before renewal_date at 00:00, in the account's time zone, Europe/Berlin: it had passed"
        " already. | It was over at 2026-01-30 23:00 UTC, before the run came to it.",
        DONE,
    ]


@pytest.mark.parametrize(
    ("until", "ends", "rule"),
    [
        pytest.param(
            Until(time="09:00", days="working", zone="Europe/Berlin"),
            "2026-03-03 08:00",
            "until 09:00 on a working day, in Europe/Berlin",
            id="a time of day",
        ),
        pytest.param(
            Until(time="18:30"),
            "2026-03-02 17:30",
            "until 18:30 on any day, in the account's time zone, Europe/Berlin",
            id="tonight",
        ),
        pytest.param(
            Until(date="renewal_date", before="7d", time="09:00", days="working", zone="UTC"),
            "2026-03-25 09:00",
            "until 7 days before renewal_date at 09:00, or the working day before, in UTC",
            id="before a date",
        ),
        pytest.param(
            Until(date="renewal_date", after="1d", zone="UTC"),
            "2026-04-02 00:00",
            "until 1 day after renewal_date at 00:00, in UTC",
            id="after a date",
        ),
        pytest.param(
            Until(date="renewal_date", zone="UTC"),
            "2026-04-01 00:00",
            "until renewal_date at 00:00, in UTC",
            id="on it",
        ),
    ],
)
async def test_a_wait_for_an_instant_names_the_rule(until: Until, ends: str, rule: str) -> None:
    scene = await playing(Step(name="pause", wait=until))
    assert await scene.told() == [f"Waits until {ends} UTC. | The playbook waits {rule}."]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Nowhere/None", "\x00", 7, None])
async def test_a_zone_that_the_account_has_moved_from_is_not_named(zone: object) -> None:
    scene = await playing(Step(name="pause", wait=Until(time="18:30")))
    await scene.tell(2, attributes={"timezone": zone})
    [told] = await scene.told()
    assert told.endswith("The playbook waits until 18:30 on any day, in the account's time zone.")
    await scene.go_on(DAY)
    assert (await scene.told())[0].startswith("Waited until 18:30 on any day, in the account's time zone.")


async def test_a_wait_for_a_date_that_the_account_does_not_have() -> None:
    scene = await playing(Step(name="pause", wait=Until(date="notice_date", before="7d")))
    assert await scene.told() == ["The wait was skipped. | The account has no date notice_date.", DONE]


async def test_a_wait_for_a_condition_that_comes() -> None:
    scene = await playing(UNTIL)
    assert await scene.told() == [
        f"Waits until this holds, at the latest until 2026-03-16 09:00 UTC: {SCORE}."
        " | After 14 days without it the run goes the way timed_out."
    ]
    scene.clock.advance(DAY)
    await scene.tell(2, score=71.0)
    await scene.go_on()
    assert await scene.told() == [f"What was waited for has come. | It holds: {SCORE}.", DONE]
    met = (await scene.detail()).timeline[1]
    assert (met.outcome, met.revision, met.values) == ("met", 2, {"score": 71.0})


async def test_a_wait_for_a_condition_that_does_not_come() -> None:
    scene = await playing(UNTIL)
    await scene.go_on(14 * DAY)
    assert (await scene.told())[
        0
    ] == f"What was waited for did not come within 14 days. | It never held: {SCORE}."
    late = (await scene.detail()).timeline[1]
    assert (late.outcome, late.path, late.values) == ("timed_out", "timed_out", {"score": 42.0})


async def test_a_branch_by_a_condition_that_holds() -> None:
    scene = await playing(BRANCH)
    assert (await scene.told())[0] == "Took the way big. | It holds: account.arr >= 100000.0."
    taken = (await scene.detail()).timeline[1]
    assert (taken.path, taken.revision, taken.values) == ("big", 1, {"account.arr": 120000.0})


async def test_a_branch_where_no_case_holds() -> None:
    huge = Case(name="huge", when="account.arr >= 1000000.0")
    new = Case(name="new", when="account.age < 30.0")
    scene = await playing(Step(name="by_size", branch=Branch(cases=(huge, new))))
    [told, _] = await scene.told()
    assert told.startswith("Took the way otherwise. | No case holds; new: ")
    assert (await scene.detail()).timeline[1].values == {"account.arr": 120000.0, "account.age": None}


async def test_what_a_branch_spoke_of_is_told_when_the_account_has_long_changed() -> None:
    waiting = replace(UNTIL, wait_until=WaitUntil(condition=SCORE, timeout="14d"))
    scene = await playing(waiting, BRANCH, WAIT)
    await scene.tell(2, score=71.0, attributes={"arr": 200000.0})
    await scene.go_on()
    assert (await scene.detail()).timeline[2].values == {"account.arr": 200000.0}
    await scene.tell(3)
    taken = (await scene.detail()).timeline[2]
    assert (taken.revision, taken.values) == (2, {"account.arr": 200000.0})


async def test_a_branch_on_the_steps_before() -> None:
    case = Case(
        name="late", when="steps.recovered.outcome == 'timed_out' && steps.follow_up.task.status == 'open'"
    )
    scene = await playing(UNTIL, Step(name="after", branch=Branch(cases=(case,))))
    await scene.go_on(14 * DAY)
    taken = (await scene.detail()).timeline[3]
    assert taken.path == "late"
    assert taken.values == {"steps.recovered.outcome": "timed_out", "steps.follow_up.task.status": "open"}


async def test_a_task_that_is_opened_and_what_became_of_it() -> None:
    scene = await playing(TASK, WAIT)
    assert (await scene.told())[0] == (
        "Opened the task ‘Call them’ (follow_up). | It belongs to maria and is due at 2026-03-03 09:00 UTC."
    )
    [task] = scene.database.state.tasks.values()
    snoozed = replace(task, status="snoozed", snoozed_until=START + 5 * DAY)
    scene.database.state.tasks.put(task.id, snoozed)
    assert (await scene.told())[0].endswith("It is snoozed until 2026-03-07 09:00 UTC.")
    scene.database.state.tasks.put(task.id, replace(snoozed, snoozed_until=None, snoozed_score=30.0))
    assert (await scene.told())[0].endswith("It is snoozed until a score of 30.")
    done = replace(task, status="done", done_by="ana", done_at=START + DAY, outcome="reached", owner=None)
    scene.database.state.tasks.put(task.id, done)
    assert (await scene.told())[0].endswith(
        "It belongs to nobody and is due at 2026-03-03 09:00 UTC. | It is done by ana at 2026-03-03 09:00 UTC: reached."
    )


async def test_a_task_that_is_updated_instead_of_a_second_one() -> None:
    again = replace(TASK, name="again", task=replace(TASK.task, assignee=Assignee(contact="ben")))  # type: ignore[type-var]
    scene = await playing(TASK, again)
    assert (await scene.told())[1].startswith(
        "Asked again for the task ‘Call them’ (follow_up)."
        " | The account had an open task of this type for this reason, at_risk: no second one."
    )


async def test_an_endpoint_that_answers() -> None:
    scene = await playing(CALL)
    await scene.call(202)
    assert await scene.told() == ["Called the endpoint crm. | The endpoint answered 202.", DONE]


async def test_an_endpoint_that_is_away() -> None:
    scene = await playing(CALL)
    await scene.call(OSError("nobody there"))
    assert await scene.told() == [
        "The step crm has failed 1 time, the last time of: OSError: nobody there."
        " | It is tried again at 2026-03-02 09:01 UTC."
    ]
    scene.clock.advance(timedelta(minutes=1))
    await scene.call(InvalidError("410 gone"))
    assert await scene.told() == [
        "The run failed: a step failed 2 times. | The last error: InvalidError: 410 gone."
    ]


@pytest.mark.parametrize("name", ["short", "long"])
async def test_a_way_that_is_drawn(name: str) -> None:
    paths = (Path(name="short"), Path(name="long", share=3.0))
    wanted = [each if each.name == name else replace(each, share=1e-9) for each in paths]
    scene = await playing(Step(name="tone", split=Split(paths=tuple(wanted))))
    share = next(each.share for each in wanted if each.name == name)
    assert (await scene.told())[0] == (
        f"Drew the way {name}. | Drawn once by the account's id; {share:g} of {share:g} accounts go this way."
    )


async def answered(scene: Scene, said: str, comment: str | None) -> None:
    [asked] = scene.database.state.approvals.values()
    answer = replace(asked, status=said, answered_by="ana", answered_at=START, comment=comment)  # type: ignore[arg-type]
    scene.database.state.approvals.put(asked.id, answer)
    async with scene.database.begin() as store:
        [run] = await store.runs.lock([scene.runs()[0].id])
        await store.runs.update([replace(run, due_at=START)])
    await scene.go_on()


@pytest.mark.parametrize(
    ("said", "comment", "told"),
    [
        ("approved", None, "‘Offer a workshop?’: approved by ana."),
        ("rejected", "not this year", "‘Offer a workshop?’: rejected by ana: not this year."),
    ],
)
async def test_a_question_that_is_answered(said: str, comment: str | None, told: str) -> None:
    scene = await playing(ASK)
    assert await scene.told() == [
        "Waits for a yes of ana, ben until 2026-03-05 09:00 UTC: ‘Offer a workshop?’. | It expires after 3 days."
    ]
    [asked] = scene.database.state.approvals.values()
    assert (await scene.detail()).timeline[-1].ref == asked.id
    await answered(scene, said, comment)
    assert (await scene.told())[0] == told


async def test_a_question_to_the_owner_that_nobody_answers() -> None:
    scene = await playing(replace(ASK, approve=Approve(title="Offer a workshop?")))
    assert (await scene.told())[0].startswith("Waits for a yes of the owner until 2026-03-05 09:00 UTC")
    await scene.go_on(3 * DAY)
    assert (await scene.told())[0] == "‘Offer a workshop?’: nobody answered within 3d."


async def test_an_end() -> None:
    scene = await playing(Step(name="stop", end=End(reason="nothing more to do")), WAIT)
    assert await scene.told() == [
        "The playbook ends here: nothing more to do.",
        "The run is complete: nothing more to do.",
    ]


async def test_a_step_of_selling_that_is_held_back() -> None:
    scene = await a_scene(
        a_definition(steps=[replace(NOTIFY, sales=True)]),
        crossing=replace(a_crossing(), snapshot=a_snapshot(thresholds=["escalated"])),
    )
    assert await scene.told() == [
        "The step tell is held back: an escalation is in progress."
        " | It is a step of selling; it is looked at again with each news of the account."
    ]
    [held] = (await scene.detail()).timeline[1:]
    assert (held.what, held.at, held.until) == ("held", START, START + timedelta(hours=1))
    await scene.tell(2)
    await scene.go_on()
    assert [each.what for each in (await scene.detail()).timeline] == ["entered", "step", "completed"]


async def test_what_was_late_is_ended_where_the_playbook_says_so() -> None:
    scene = await playing(WAIT, late=Late(after="1d", then="exit"))
    await scene.go_on(5 * DAY)
    assert await scene.told() == [
        "The run ended early: its wait ended at 2026-03-04T09:00:00Z, more than 1d ago."
    ]


async def test_an_exit_by_a_condition_and_one_by_a_crossing() -> None:
    exits = ExitWhen(condition="score == null || score >= 60.0", left=("at_risk",))
    scene = await playing(UNTIL, exit_when=exits)
    await scene.tell(2, score=71.0)
    await scene.go_on()
    assert await scene.told() == [f"The run ended early, for its exit condition holds: {exits.condition}."]

    scene = await playing(WAIT, exit_when=exits)
    await scene.cross("c-2", a_crossing(direction="left", snapshot=a_snapshot(revision=2)))
    assert await scene.told() == [
        "The run ended early: at_risk was left: score went from 42 to 57, the level is 50. | It came of 2 facts."
    ]

    scene = await playing(WAIT, exit_when=exits)
    await scene.cross("c-2", a_crossing(threshold="other", snapshot=a_snapshot(revision=2, score=64.0)))
    [_, ended] = (await scene.detail()).timeline
    assert (ended.crossing_id, ended.revision, ended.values) == ("c-2", 2, {"score": 64.0})
