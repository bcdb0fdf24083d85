"""The desks in memory: each change with all that it leaves behind, and what they refuse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import pytest
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import a_run, a_snapshot, received_snapshot
from tests.unit.playbooks.contracts.rows import DAY, HOUR, a_task, an_approval, with_runs

from csm_common.contracts.envelope import Envelope
from csm_common.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.model import Task
from playbooks.application.task_desk import NewTask, TaskDesk
from playbooks.application.task_history import bring_back_due, bring_back_scored
from playbooks.domain.actions import Assignee
from playbooks.domain.calendar import Calendar

ANA, CRM = Actor("console", "ana"), Actor("crm")
WANTED = NewTask(account_id="acme", type="call", title="Ask", reason="rumour", due_in="3wd")


@pytest.fixture
async def database() -> MemoryDatabase:
    """Acme at 42 points, owned by maria; a run waits for a condition, and has asked for a task."""
    database = MemoryDatabase()
    async with database.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot())])
        await with_runs(store, a_run(awaits="condition", wake_at=START + DAY, due_at=START + DAY))
        await store.tasks.open([a_task()])
    return database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(database: MemoryDatabase, clock: ManualClock) -> TaskDesk:
    return TaskDesk(database, clock, Calendar())


def told(database: MemoryDatabase) -> list[tuple[str, str, str | None]]:
    """Subject, status and outcome of each fact."""
    facts = [msgspec.json.decode(each.value or b"", type=Envelope) for each in database.state.messages]
    assert len({fact.id for fact in facts}) == len(facts)
    return [(fact.subject, fact.data["status"], fact.data["outcome"]) for fact in facts]


def noted(database: MemoryDatabase) -> list[str]:
    return [note.action for note in database.state.notes.values()][1:]


def audited(database: MemoryDatabase) -> list[str]:
    return [f"{line.actor} {line.action}" for line in database.state.audit.values()]


async def due_at(database: MemoryDatabase) -> datetime | None:
    return database.state.runs["run-1"].due_at


async def test_each_change_leaves_a_line_in_the_history_one_in_the_audit_and_a_fact(
    desk: TaskDesk, database: MemoryDatabase
) -> None:
    await desk.claim("task-1", ANA)
    await desk.snooze("task-1", START + DAY, 20.0, ANA)
    await desk.reopen("task-1", ANA)
    await desk.assign("task-1", Assignee(contact="ben"), CRM)
    await desk.complete("task-1", "reached", CRM, "Fine.")
    await desk.reopen("task-1", CRM)
    await desk.cancel("task-1", "a mistake", CRM)
    assert told(database) == [
        ("acme", "open", None),
        ("acme", "snoozed", None),
        ("acme", "open", None),
        ("acme", "open", None),
        ("acme", "done", "reached"),
        ("acme", "open", None),
        ("acme", "cancelled", None),
    ]
    assert noted(database) == [
        "claimed", "snoozed", "reopened", "assigned", "completed", "commented", "reopened", "cancelled",
    ]  # fmt: skip
    ana, crm = "person:ana via key:console", "key:crm"
    assert audited(database) == [
        f"{ana} task_claimed",
        f"{ana} task_snoozed",
        f"{ana} task_reopened",
        f"{crm} task_assigned",
        f"{crm} task_completed",
        f"{crm} task_reopened",
        f"{crm} task_cancelled",
    ]


async def test_only_what_a_condition_can_ask_about_wakes_the_runs_of_the_account(
    desk: TaskDesk, database: MemoryDatabase, clock: ManualClock
) -> None:
    clock.advance(HOUR)
    await desk.claim("task-1", ANA)
    await desk.assign("task-1", Assignee(contact="ben"), ANA)
    await desk.comment("task-1", "Hm.", ANA)
    assert await due_at(database) == START + DAY
    await desk.complete("task-1", "reached", CRM)
    assert await due_at(database) == START + HOUR


async def test_of_several_a_task_stays_with_whom_it_is_and_else_goes_to_whose_turn_it_is(
    desk: TaskDesk, database: MemoryDatabase
) -> None:
    in_turn = Assignee(round_robin=("ana", "ben"))
    assert (await desk.assign("task-1", in_turn, CRM)).owner == "ana"
    assert (await desk.assign("task-1", in_turn, CRM)).owner == "ana"
    assert (await desk.assign("task-1", Assignee(least_loaded=("ben", "cem")), CRM)).owner == "ben"
    assert len(told(database)) == 2


async def test_a_task_by_hand_is_due_on_a_working_day_and_belongs_to_the_owner(
    desk: TaskDesk, database: MemoryDatabase
) -> None:
    opened = await desk.open(replace(WANTED, comment="Heard it."), ANA)
    assert (opened.created, opened.task.owner, opened.task.due_at) == (True, "maria", START + 3 * DAY)
    again = await desk.open(replace(WANTED, title="Ask again"), CRM)
    assert (again.created, again.task.id, again.task.title) == (False, opened.task.id, "Ask again")
    assert noted(database) == ["opened", "commented", "asked_again"]
    given = await desk.open(
        replace(WANTED, reason="other", assignee=Assignee(contact="zoe"), due_in=None, due_at=START), ANA
    )
    assert (given.task.owner, given.task.due_at) == ("zoe", START)


async def test_a_task_of_an_account_without_an_owner_is_nobodys(
    desk: TaskDesk, database: MemoryDatabase
) -> None:
    async with database.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot("beta", attributes={}))])
    assert (await desk.open(replace(WANTED, account_id="beta"), ANA)).task.owner is None


async def test_a_comment_is_said_once(desk: TaskDesk, database: MemoryDatabase, clock: ManualClock) -> None:
    first = await desk.comment("task-1", "Hm.", ANA)
    clock.advance(HOUR)
    assert await desk.comment("task-1", "Hm.", ANA) == first
    await desk.comment("task-1", "Hm.", CRM)
    assert noted(database) == ["commented", "commented"]


async def test_what_cannot_be_is_refused(desk: TaskDesk) -> None:
    with pytest.raises(NotFoundError, match="no task 'nope'"):
        await desk.claim("nope", ANA)
    with pytest.raises(NotFoundError, match="no task 'nope'"):
        await desk.comment("nope", "Hm.", ANA)
    with pytest.raises(NotFoundError, match="no account 'nobody'"):
        await desk.open(replace(WANTED, account_id="nobody"), ANA)
    with pytest.raises(InvalidError, match="not in the future"):
        await desk.snooze("task-1", START, None, ANA)
    with pytest.raises(InvalidError, match="at 42 or below already"):
        await desk.snooze("task-1", None, 42.0, ANA)


async def test_a_task_may_wait_for_a_score_of_an_account_that_has_none(
    desk: TaskDesk, database: MemoryDatabase
) -> None:
    async with database.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot(revision=2, score=None))])
    assert (await desk.snooze("task-1", None, 42.0, ANA)).status == "snoozed"


# ---- coming back


async def asleep(database: MemoryDatabase, *tasks: Task) -> None:
    async with database.begin() as store:
        await store.tasks.open(tasks)


async def test_a_task_whose_time_has_come_is_told_of_as_open(database: MemoryDatabase) -> None:
    await asleep(database, a_task("task-2", reason="2", status="snoozed", snoozed_until=START + HOUR))
    async with database.begin() as store:
        assert await bring_back_due(store, START) == 0
        assert await bring_back_due(store, START + HOUR) == 1
    assert told(database) == [("acme", "open", None)]
    assert audited(database) == ["system task_reopened"]
    last = list(database.state.notes.values())[-1]
    assert (last.actor, last.action, last.text) == ("system", "reopened", "its time has come")


@pytest.mark.parametrize(("scores", "back"), [([], 0), ([41.0], 0), ([41.0, 40.0], 1)], ids=str)
async def test_a_task_comes_back_with_the_snapshot_that_is_low_enough(
    database: MemoryDatabase, scores: Sequence[float], back: int
) -> None:
    await asleep(database, a_task("task-2", reason="2", status="snoozed", snoozed_score=40.0))
    for revision, score in enumerate(scores, start=2):
        async with database.begin() as store:
            news = received_snapshot(a_snapshot(revision=revision, score=score))
            await keep_accounts(store, [], [news], START + HOUR)
    assert len(told(database)) == back
    async with database.begin() as store:
        assert await bring_back_scored(store, {}, START) == 0


# ---- answers


@pytest.fixture
async def answers(database: MemoryDatabase, clock: ManualClock) -> ApprovalDesk:
    """Where acme's run waits for its owner, or ben."""
    async with database.begin() as store:
        [run] = await store.runs.lock(["run-1"])
        await store.runs.update([replace(run, step="ask", awaits="approval")])
        await store.approvals.ask([an_approval(by=("owner", "ben"))])
    return ApprovalDesk(database, clock)


@pytest.mark.parametrize("person", ["maria", "ben", None], ids=str)
async def test_an_answer_of_those_who_are_asked_makes_the_run_due(
    answers: ApprovalDesk, database: MemoryDatabase, clock: ManualClock, person: str | None
) -> None:
    clock.advance(HOUR)
    by = Actor("console", person)
    said = await answers.answer("approval-1", "approved", by, "Go on.")
    assert (said.status, said.answered_at, said.answered_by) == ("approved", START + HOUR, str(by))
    assert await due_at(database) == START + HOUR
    assert audited(database) == [f"{by} approval_approved"]
    assert await answers.answer("approval-1", "approved", by) == said


async def test_nobody_else_may_answer(answers: ApprovalDesk, database: MemoryDatabase) -> None:
    with pytest.raises(
        ForbiddenError, match=r"ana is not asked; it is up to the owner of acme \(maria\), ben"
    ):
        await answers.answer("approval-1", "approved", ANA)
    with pytest.raises(ForbiddenError, match="owner is not asked"):
        await answers.answer("approval-1", "approved", Actor("console", "owner"))
    async with database.begin() as store:
        await store.accounts.remove(["acme"])
    with pytest.raises(ForbiddenError, match=r"the owner of acme \(nobody\), ben"):
        await answers.answer("approval-1", "approved", Actor("console", "maria"))


async def test_an_answer_that_comes_too_late_says_why(
    answers: ApprovalDesk, database: MemoryDatabase, clock: ManualClock
) -> None:
    with pytest.raises(NotFoundError, match="no approval 'nope'"):
        await answers.answer("nope", "approved", CRM)
    clock.advance(DAY)
    with pytest.raises(ConflictError, match="It expired at 2026-03-03T09:00:00Z"):
        await answers.answer("approval-1", "approved", CRM)
    clock.set(START)
    async with database.begin() as store:
        [run] = await store.runs.lock(["run-1"])
        ended = replace(
            run, status="exited", awaits=None, due_at=None, ended_at=START, reason="at_risk was left"
        )
        await store.runs.update([ended])
    with pytest.raises(ConflictError, match="run run-1 is exited: at_risk was left"):
        await answers.answer("approval-1", "approved", CRM)


async def test_an_answer_stands(answers: ApprovalDesk) -> None:
    await answers.answer("approval-1", "rejected", CRM, "Not now.")
    with pytest.raises(ConflictError, match=r"It is rejected already, at .* by key:crm: Not now\."):
        await answers.answer("approval-1", "approved", CRM)
    with pytest.raises(ConflictError, match="It is rejected already"):
        await answers.answer("approval-1", "rejected", Actor("console", "ben"))
