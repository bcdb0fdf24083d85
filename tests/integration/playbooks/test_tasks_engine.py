"""Tasks and answers together with the engine: what people say over the desks is what runs go by."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.unit.playbooks.builders import a_definition
from tests.unit.playbooks.contracts.rows import DAY, HOUR
from tests.unit.playbooks.engine.service import Service
from tests.unit.playbooks.engine.tables import PostgresTables

from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.task_desk import TaskDesk
from playbooks.application.task_history import bring_back_due
from playbooks.domain.actions import Assignee, Task
from playbooks.domain.calendar import Calendar
from playbooks.domain.steps import Approve, Branch, Case, Step, WaitUntil

MARIA, CRM = Actor("console", "maria"), Actor("crm")

CALL = Step(
    name="call",
    task=Task(
        type="rescue",
        title="Call them",
        reason="usage",
        assignee=Assignee(least_loaded=("ana", "ben")),
        due_in="2wd",
    ),
)
CALLED = Step(
    name="called",
    wait_until=WaitUntil(condition="has(steps.call.task) && steps.call.task.status == 'done'", timeout="14d"),
)
REACHED = Step(
    name="reached",
    branch=Branch(cases=(Case(name="yes", when="steps.call.task.outcome == 'reached'"),), otherwise=()),
)
ASK = Step(
    name="ask",
    approve=Approve(
        title="Offer a workshop?",
        by="owner",
        expires_in="3d",
        rejected=(
            Step(
                name="note_no", task=Task(type="note", title="No", reason="no", assignee="owner", due_in="1d")
            ),
        ),
    ),
)


@dataclass
class World:
    """The engine and the desks beside it, on one database and one clock."""

    engine: Service
    tasks: TaskDesk
    approvals: ApprovalDesk


@pytest.fixture
def world(adapters: Adapters) -> World:
    engine = Service(adapters.transactions, PostgresTables(adapters.engine))
    return World(
        engine,
        TaskDesk(adapters.transactions, engine.clock, Calendar()),
        ApprovalDesk(adapters.transactions, engine.clock),
    )


@pytest.mark.parametrize(
    ("outcome", "path"), [("reached", "yes"), ("no answer", "otherwise")], ids=["yes", "no"]
)
async def test_a_run_goes_on_by_what_came_of_its_task(world: World, outcome: str, path: str) -> None:
    await world.engine.begin(a_definition(steps=(CALL, CALLED, REACHED)))
    await world.engine.settle()
    [task] = await world.engine.tasks()
    assert (task.owner, task.due_at) == ("ana", world.engine.clock.now() + 2 * DAY)
    assert (await world.engine.run()).awaits == "condition"
    world.engine.clock.advance(HOUR)
    await world.tasks.claim(task.id, MARIA)
    await world.engine.settle()
    assert await world.engine.path() == [("call", "opened")]
    await world.tasks.complete(task.id, outcome, MARIA)
    await world.engine.settle()
    assert await world.engine.path() == [("call", "opened"), ("called", "met"), ("reached", "taken")]
    assert (await world.engine.results())[-1].path == path


async def test_a_second_playbook_that_asks_for_the_same_task_goes_by_the_same_outcome(world: World) -> None:
    await world.engine.begin(
        a_definition(steps=(CALL, CALLED)), a_definition("other", steps=(CALL, CALLED), purpose="other")
    )
    await world.engine.settle()
    [task] = await world.engine.tasks()
    assert task.asked == 2
    await world.tasks.complete(task.id, "reached", CRM)
    await world.engine.settle()
    assert {run.status for run in await world.engine.runs()} == {"completed"}


async def test_what_is_cancelled_is_not_done_and_the_run_waits_until_its_time_is_over(world: World) -> None:
    await world.engine.begin(a_definition(steps=(CALL, CALLED)))
    await world.engine.settle()
    [task] = await world.engine.tasks()
    await world.tasks.cancel(task.id, "a mistake", MARIA)
    await world.engine.settle()
    assert (await world.engine.run()).status == "active"
    await world.engine.later(timedelta(days=15))
    assert await world.engine.path() == [("call", "opened"), ("called", "timed_out")]


async def test_a_snoozed_task_is_asked_for_again_without_waking_it(world: World) -> None:
    await world.engine.begin(a_definition(steps=(CALL,)))
    await world.engine.settle()
    [task] = await world.engine.tasks()
    until = world.engine.clock.now() + 2 * DAY
    await world.tasks.snooze(task.id, until, None, MARIA)
    await world.engine.begin(a_definition("other", steps=(CALL,), purpose="other"))
    await world.engine.settle()
    [task] = await world.engine.tasks()
    assert (task.status, task.snoozed_until) == ("snoozed", until)
    async with world.engine.transactions.begin() as store:
        assert await bring_back_due(store, until) == 1
    [task] = await world.engine.tasks()
    assert task.status == "open"


async def test_a_task_that_waits_for_a_score_comes_back_with_the_news(world: World) -> None:
    await world.engine.begin(a_definition(steps=(CALL,)))
    await world.engine.learn(revision=1)
    await world.engine.settle()
    [task] = await world.engine.tasks()
    await world.tasks.snooze(task.id, None, 30.0, MARIA)
    await world.engine.learn(revision=2, score=30.5)
    assert (await world.engine.tasks())[0].status == "snoozed"
    await world.engine.learn(revision=3, score=30.0)
    assert (await world.engine.tasks())[0].status == "open"


async def test_a_yes_takes_the_run_on(world: World) -> None:
    await world.engine.begin(a_definition(steps=(ASK, CALL)))
    await world.engine.settle()
    [asked] = await world.engine.approvals()
    world.engine.clock.advance(HOUR)
    await world.approvals.answer(asked.id, "approved", CRM, "Go on.")
    await world.engine.settle()
    assert await world.engine.path() == [("ask", "approved"), ("call", "opened")]
    assert (await world.engine.results())[0].reason == "approved by key:crm: Go on."


async def test_a_no_takes_its_own_way_and_ends_the_run(world: World) -> None:
    await world.engine.begin(a_definition(steps=(ASK, CALL)))
    await world.engine.learn()
    await world.engine.settle()
    [asked] = await world.engine.approvals()
    await world.approvals.answer(asked.id, "rejected", MARIA)
    await world.engine.settle()
    assert await world.engine.path() == [("ask", "rejected"), ("note_no", "opened")]
    assert (await world.engine.run()).status == "completed"
