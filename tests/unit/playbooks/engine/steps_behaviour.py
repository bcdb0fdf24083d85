"""Due runs go a step further: the effect, its result and the run's new state last together or not at all; on every store."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import msgspec
import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_definition
from tests.unit.playbooks.contracts.rows import a_task
from tests.unit.playbooks.engine.examples import approve, notify, wait
from tests.unit.playbooks.engine.service import Service, entered

from csm_common.contracts.facts import TaskChanged
from csm_common.contracts.notifications import (
    Chain,
    ChainCrossing,
    ChainFact,
    ChainPart,
    ChainStep,
    NotificationRequest,
    Recipient,
)
from csm_common.contracts.topics import CUSTOMER_EVENTS, NOTIFICATION_REQUESTS
from csm_common.ids import derived_id
from playbooks.application.handlers.steps import Advanced
from playbooks.application.model import Audited
from playbooks.domain.actions import Assignee, Notify
from playbooks.domain.actions import Recipient as Wanted
from playbooks.domain.run import StepResult
from playbooks.domain.steps import Branch, Case, Step, Task

RUN_ID = derived_id("run", "account_at_risk", 1, "c-1")


class StepsBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    # ---- what the steps do

    async def test_a_notification_is_requested_with_all_that_explains_it(self, service: Service) -> None:
        await service.begin(a_definition())
        await service.tick()
        [envelope] = await service.envelopes(NOTIFICATION_REQUESTS.name)
        assert envelope.id == derived_id("notification", RUN_ID, "tell")
        assert (envelope.source, envelope.type, envelope.subject, envelope.time) == (
            "/csm/playbooks",
            "csm.notification.requested",
            "acme",
            START,
        )
        [request] = await service.requests()
        assert request == NotificationRequest(
            account_id="acme",
            run_id=RUN_ID,
            playbook="account_at_risk",
            playbook_version=1,
            step="tell",
            channel="email",
            category="health",
            message_class="internal",
            template="account_at_risk",
            recipients=[
                Recipient(kind="owner"),
                Recipient(kind="role", value="champion"),
                Recipient(kind="contact", value="c-7"),
            ],
            requested_at=START,
            expires_at=START + timedelta(days=3),
            context={
                "account": {"name": "Acme", "owner": "maria", "plan": "pro"},
                "score": 42.0,
                "band": "at_risk",
                "coverage": 0.8,
                "dimensions": {"adoption": 30.0},
                "values": {},
                "thresholds": [],
                "crossing": {
                    "threshold": "at_risk",
                    "direction": "entered",
                    "target": "score",
                    "level": 50.0,
                    "before": 57.0,
                    "after": 42.0,
                    "band_before": "neutral",
                    "band_after": "at_risk",
                    "parts": [{"measure": "logins", "before": 30.0, "after": 15.0}],
                    "occurred_at": "2026-03-02T09:00:00Z",
                },
                "playbook": {"name": "account_at_risk", "title": "At risk"},
            },
            chain=Chain(
                run_id=RUN_ID,
                step="tell",
                playbook="account_at_risk",
                playbook_version=1,
                crossing_id="c-1",
                fact_ids=["fact-1", "fact-2"],
                playbook_title="At risk",
                run_started_at=START,
                entered="at_risk was entered: score went from 57 to 42, the level is 50.",
                crossing=ChainCrossing(
                    id="c-1",
                    threshold="at_risk",
                    direction="entered",
                    target="score",
                    level=50.0,
                    before=57.0,
                    after=42.0,
                    occurred_at=START,
                    cause="facts",
                    band_before="neutral",
                    band_after="at_risk",
                    scorecard="default",
                    scorecard_version=1,
                    parts=[ChainPart(measure="logins", before=30.0, after=15.0)],
                    facts=[
                        ChainFact(
                            id=f"fact-{n}", type="csm.ticket.changed", occurred_at=START - timedelta(hours=n)
                        )
                        for n in (1, 2)
                    ],
                ),
            ),
        )
        assert await service.results(RUN_ID) == [
            StepResult(
                run_id=RUN_ID,
                position=0,
                step="tell",
                kind="notify",
                at=START,
                outcome="requested",
                ref=envelope.id,
                revision=1,
            )
        ]

    async def test_a_message_tells_the_steps_before_it_with_the_ways_they_took(
        self, service: Service
    ) -> None:
        big = Case(name="big", when="score < 50.0", steps=(TASK, notify("first"), notify("second")))
        await service.begin(a_definition(steps=(Step(name="size", branch=Branch(cases=(big,))),), priority=7))
        for _ in range(4):
            await service.tick()
        first, second = await service.requests()
        taken = [
            ChainStep(step="size", kind="branch", outcome="taken", path="big", at=START),
            ChainStep(step="follow_up", kind="task", outcome="opened", at=START),
            ChainStep(step="first", kind="notify", outcome="requested", at=START),
        ]
        assert (first.chain.steps, second.chain.steps) == (taken[:2], taken)
        assert (first.priority, first.if_held) == (7, "later")

    async def test_whom_a_message_is_for_and_what_becomes_of_it_when_held_go_along(
        self, service: Service
    ) -> None:
        chat = Notify(
            channel="slack",
            recipients=(Wanted(team=True), Wanted(endpoint="cs_alerts")),
            template="account_at_risk",
            category="health",
            message_class="internal",
            if_held="drop",
        )
        await service.begin(a_definition(steps=(Step(name="tell", notify=chat),)))
        await service.tick()
        [request] = await service.requests()
        assert request.recipients == [Recipient(kind="team"), Recipient(kind="endpoint", value="cs_alerts")]
        assert (request.channel, request.if_held) == ("slack", "drop")

    async def test_a_task_is_opened_for_the_owner_and_told_as_a_fact(self, service: Service) -> None:
        await service.begin(a_definition(steps=(TASK,)))
        await service.tick()
        task_id = derived_id("task", RUN_ID, "follow_up")
        [task] = await service.tasks()
        assert task.id == task_id
        assert (task.account_id, task.type, task.title, task.reason, task.owner, task.status) == (
            "acme",
            "follow_up",
            "Call them",
            "at_risk",
            "maria",
            "open",
        )
        assert (task.due_at, task.run_id) == (START + timedelta(days=1), RUN_ID)
        [fact] = await service.envelopes(CUSTOMER_EVENTS.name)
        assert (fact.type, fact.subject, fact.time) == ("csm.task.changed", "acme", START)
        assert msgspec.json.decode(fact.data, type=TaskChanged) == TaskChanged(
            id=task_id,
            status="open",
            run=RUN_ID,
            playbook="account_at_risk",
            type="follow_up",
            reason="at_risk",
            owner="maria",
            due=(START + timedelta(days=1)).isoformat(),
            actor="playbook:account_at_risk/1",
        )
        assert [(each.outcome, each.ref) for each in await service.results(RUN_ID)] == [("opened", task_id)]
        assert (await service.run()).status == "completed"

    async def test_a_task_that_is_open_already_is_updated(self, service: Service) -> None:
        await service.begin(a_definition(steps=(TASK,)), a_definition("b", steps=(TASK,)))
        await service.tick()
        [task] = await service.tasks()
        assert task.asked == 2
        results = await service.results()
        assert sorted((each.outcome, each.ref) for each in results) == [
            ("opened", task.id),
            ("updated", task.id),
        ]
        facts = await service.envelopes(CUSTOMER_EVENTS.name)
        assert [msgspec.json.decode(each.data, type=TaskChanged).id for each in facts] == [task.id, task.id]
        assert len({each.id for each in facts}) == 2

    async def test_a_task_that_is_asked_for_again_is_told_as_it_is(self, service: Service) -> None:
        known = a_task(
            run_id=None,
            playbook=None,
            step=None,
            due_at=START + timedelta(hours=1),
            owner="ben",
            status="snoozed",
        )
        async with service.transactions.begin() as store:
            await store.tasks.open([replace(known, snoozed_until=START + timedelta(days=3))])
        await service.begin(a_definition(steps=(TASK,)))
        await service.tick()
        [fact] = await service.envelopes(CUSTOMER_EVENTS.name)
        told = msgspec.json.decode(fact.data, type=TaskChanged)
        assert (told.id, told.status, told.owner) == (known.id, "snoozed", "ben")
        assert told.due == (START + timedelta(hours=1)).isoformat()

    @pytest.mark.parametrize(("owner", "told"), [(None, None), (7, "7")])
    async def test_an_owner_need_not_be_a_name(
        self, service: Service, owner: object, told: str | None
    ) -> None:
        await service.begin(a_definition(steps=(TASK,)))
        await service.learn(revision=2, attributes={"owner": owner})
        await service.tick()
        [task] = await service.tasks()
        assert task.owner == told

    async def test_later_steps_speak_of_the_account_as_it_is_then(self, service: Service) -> None:
        await service.begin(a_definition(steps=(WAIT, NOTIFY)))
        await service.tick()
        await service.learn(revision=2, score=33.0, attributes={"owner": "otto"})
        service.clock.advance(timedelta(days=2))
        await service.tick(2)
        [request] = await service.requests()
        assert (request.context["score"], request.context["account"]) == (33.0, {"owner": "otto"})
        assert request.context["crossing"]["after"] == 42.0

    async def test_an_older_snapshot_than_the_crossings_own_is_not_used(self, service: Service) -> None:
        await service.learn(revision=0, score=80.0)
        await service.begin(a_definition())
        await service.tick()
        assert (await service.requests())[0].context["score"] == 42.0

    async def test_the_trace_goes_on_with_the_messages(self, service: Service) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await service.begin(a_definition(steps=(NOTIFY, TASK)), traceparent=trace)
        await service.tick(2)
        assert [dict(each.headers) for each in await service.tables.messages()] == [
            {"traceparent": trace}
        ] * 2

    # ---- when they do it

    async def test_one_step_a_round_up_to_the_wait(self, service: Service) -> None:
        await service.begin(a_definition())
        wake_at = START + timedelta(days=2)
        assert [(await service.tick()).next_due for _ in range(2)] == [START, START], "there may be more"
        assert await service.tick() == Advanced([], wake_at)
        run = await service.run()
        assert (run.position, run.wake_at) == (1, wake_at)

    async def test_a_wait_ends_when_it_was_to_end_and_the_run_completes(self, service: Service) -> None:
        await service.begin(a_definition())
        await service.tick(2)
        service.clock.advance(timedelta(days=2))
        await service.tick()
        assert [run.status for run in (await service.tick()).runs] == ["completed"]
        assert await service.tick() == Advanced([], None)
        assert await service.path() == [("tell", "requested"), ("wait", "waited"), ("follow_up", "opened")]

    async def test_a_round_takes_no_more_than_its_batch(self, service: Service) -> None:
        await service.begin(*(a_definition(f"p{number}", steps=(NOTIFY,)) for number in range(3)))
        assert [len((await service.tick(limit=2)).runs) for _ in range(3)] == [2, 1, 0]

    # ---- what conditions can speak of

    async def test_a_way_can_be_taken_by_what_came_of_the_steps_before(self, service: Service) -> None:
        happy = "steps.follow_up.task.status == 'done' && steps.follow_up.task.outcome == 'happy'"
        step = Step(
            name="so", branch=Branch(cases=(Case(name="happy", when=happy, steps=(notify("thank"),)),))
        )
        await service.begin(a_definition(steps=(TASK, wait("pause", "2d"), step)))
        await service.settle()
        async with service.transactions.begin() as store:
            [task] = await service.tasks()
            await store.tasks.write(replace(task, status="done", outcome="happy"))
        await service.later(timedelta(days=3))
        assert [step for step, _ in await service.path()] == ["follow_up", "pause", "so", "thank"]

    async def test_a_way_can_be_taken_by_the_crossing_that_began_it(self, service: Service) -> None:
        steep = Case(name="steep", when="crossing.before - crossing.after > 10.0", steps=(notify("hurry"),))
        await service.begin(a_definition(steps=(Step(name="so", branch=Branch(cases=(steep,))),)))
        await service.settle()
        assert await service.path() == [("so", "taken"), ("hurry", "requested")]

    # ---- who gets the work

    async def test_work_goes_round_and_to_who_has_least(self, service: Service) -> None:
        round_robin = _task("turn", Assignee(round_robin=("ana", "ben")))
        least_loaded = _task("least", Assignee(least_loaded=("ana", "cem")))
        contact = _task("named", Assignee(contact="dora"))
        await service.publish(a_definition(steps=(round_robin, least_loaded, contact)))
        await service.receive(*(entered(f"c-{number}", f"account-{number}") for number in range(4)))
        await service.settle()
        owners = Counter((task.type, task.owner) for task in await service.tasks())
        assert owners == {
            ("turn", "ana"): 2,
            ("turn", "ben"): 2,
            ("least", "ana"): 1,
            ("least", "cem"): 3,
            ("named", "dora"): 4,
        }

    async def test_work_that_was_there_uses_up_nobody_s_turn(self, service: Service) -> None:
        turn = _task("turn", Assignee(round_robin=("ana", "ben")))
        await service.publish(
            a_definition(steps=(turn,)), a_definition("again", steps=(turn,), threshold="worse")
        )
        await service.receive(entered("c-1", "acme"))
        await service.settle()
        await service.receive(entered("c-2", "acme", threshold="worse"))
        await service.settle()
        await service.receive(entered("c-3", "globex"))
        await service.settle()
        tasks = sorted(await service.tasks(), key=lambda each: each.account_id)
        assert [(each.account_id, each.owner, each.asked) for each in tasks] == [
            ("acme", "ana", 2),
            ("globex", "ben", 1),
        ]

    # ---- what is asked

    async def test_a_question_is_written_down_with_who_may_answer(self, service: Service) -> None:
        await service.begin(a_definition(steps=(approve(rejected=(notify("no"),)), notify("yes"))))
        await service.settle()
        [asked] = await service.approvals()
        assert (asked.id, asked.status, asked.by, asked.title) == (
            derived_id("approval", RUN_ID, "ask"),
            "pending",
            ("owner",),
            "May we?",
        )
        assert (asked.asked_at, asked.expires_at) == (START, START + timedelta(days=3))

    @pytest.mark.parametrize(
        ("said", "steps"), [("approved", ["ask", "yes"]), ("rejected", ["ask", "no"])], ids=["yes", "no"]
    )
    async def test_an_answer_takes_the_run_on(
        self, service: Service, said: Literal["approved", "rejected"], steps: list[str]
    ) -> None:
        await service.begin(a_definition(steps=(approve(rejected=(notify("no"),)), notify("yes"))))
        await service.settle()
        await service.answer(said)
        await service.settle()
        assert [step for step, _ in await service.path()] == steps
        assert [each.status for each in await service.approvals()] == [said]

    async def test_a_question_that_nobody_answers_expires(self, service: Service) -> None:
        await service.begin(a_definition(steps=(approve(expired=(notify("late"),)), notify("yes"))))
        await service.later(timedelta(days=4))
        assert [step for step, _ in await service.path()] == ["ask", "late"]
        assert [each.status for each in await service.approvals()] == ["expired"]

    # ---- what is told of it

    async def test_whatever_is_done_to_people_is_audited(self, service: Service) -> None:
        await service.begin(a_definition(steps=(NOTIFY, TASK, approve())))
        await service.settle()
        told = [each for each in await service.tables.rows(Audited) if each.subject == f"run:{RUN_ID}"]
        assert [(each.action, each.actor, each.account_id) for each in told] == [
            (action, "playbook:account_at_risk/1", "acme")
            for action in ("notification_requested", "task_opened", "approval_asked")
        ]


def _task(type_: str, assignee: Assignee) -> Step:
    return Step(name=type_, task=Task(type=type_, title="Do", reason="r", assignee=assignee, due_in="1d"))
