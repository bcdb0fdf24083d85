"""Tasks, approvals and the audit through the HTTP door, on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.builders import a_run, a_snapshot, received_snapshot
from tests.unit.playbooks.contracts.rows import DAY, HOUR, MINUTE, a_task, an_approval, with_runs

from csm_common.contracts.envelope import Envelope
from csm_common.contracts.facts import TaskChanged
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from playbooks.adapters.postgres.desk_reads import PostgresDeskReads
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.model import Approval, Task, TaskNote
from playbooks.application.task_desk import TaskDesk
from playbooks.application.task_reads import TaskStory
from playbooks.domain.calendar import Calendar
from playbooks.domain.interpreter import Answer
from playbooks.entrypoints import desk_examples as examples
from playbooks.entrypoints.approvals_api import ApprovalPage, create_approvals_router
from playbooks.entrypoints.audit_api import AuditPage, create_audit_router
from playbooks.entrypoints.tasks_api import TaskPage, create_tasks_router

ANA, BEN = {"X-CSM-Person": "ana"}, {"X-CSM-Person": "ben"}


class Door:
    """The service's door, and what it has told since."""

    def __init__(self, client: httpx.AsyncClient, adapters: Adapters, clock: ManualClock) -> None:
        self.client = client
        self.adapters = adapters
        self.clock = clock
        self.commits = 0

    async def get(self, path: str, expected: int = 200, **params: Any) -> Any:
        return _answer(await self.client.get(f"/v1/{path}", params=params), expected)

    async def post(
        self, path: str, body: Any = None, expected: int = 200, by: dict[str, str] | None = None
    ) -> Any:
        return _answer(await self.client.post(f"/v1/{path}", json=body, headers=by or {}), expected)

    async def facts(self) -> list[tuple[Envelope, TaskChanged]]:
        """What was told, in the order in which it leaves."""
        async with self.adapters.engine.connect() as connection:
            values = await connection.scalars(text("SELECT value FROM outbox ORDER BY id"))
            told = [msgspec.json.decode(value, type=Envelope) for value in values]
        return [(each, msgspec.convert(each.data, TaskChanged)) for each in told]

    async def history(self, task_id: str) -> list[tuple[str, str, str]]:
        """Actor, action and text of each line."""
        notes = (await self.get(f"tasks/{task_id}"))["notes"]
        return [(each["actor"], each["action"], each["text"]) for each in notes]


def _answer(response: httpx.Response, expected: int) -> Any:
    assert response.status_code == expected, response.text
    return response.json()


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def door(adapters: Adapters, keys: MemoryKeys, clock: ManualClock) -> AsyncIterator[Door]:
    def committed() -> None:
        made.commits += 1

    reads = PostgresDeskReads(adapters.engine)
    tasks = TaskDesk(adapters.transactions, clock, Calendar(), committed)
    approvals = ApprovalDesk(adapters.transactions, clock, committed)
    app: FastAPI = create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[
            create_tasks_router(reads, tasks, clock),
            create_approvals_router(reads, approvals),
            create_audit_router(reads),
        ],
        ready={},
        alive={},
    )
    token = keys.add(scopes=["playbooks:read", "tasks:write"], source="console")
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        made = Door(client, adapters, clock)
        yield made


@pytest.fixture
async def acme(adapters: Adapters) -> None:
    """Acme at 42 points, owned by maria, with a run that waits for a condition, and the task it asked for."""
    waiting = a_run(awaits="condition", wake_at=START + DAY, due_at=START + DAY)
    async with adapters.transactions.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot())])
        await with_runs(store, waiting)
        await store.tasks.open([a_task()])


async def _due_at(adapters: Adapters) -> Any:
    async with adapters.engine.connect() as connection:
        return await connection.scalar(text("SELECT due_at FROM runs WHERE id = 'run-1'"))


# ---- what becomes of a task


@pytest.mark.usefixtures("acme")
async def test_a_task_is_claimed_completed_and_its_run_looks_at_once(door: Door) -> None:
    claimed = await door.post("tasks/task-1:claim", by=ANA)
    assert (claimed["owner"], claimed["claimed_by"], claimed["status"]) == ("ana", "ana", "open")
    assert await _due_at(door.adapters) == START + DAY
    door.clock.advance(HOUR)
    done = await door.post("tasks/task-1:complete", {"outcome": "reached", "comment": "All good."}, by=ANA)
    assert (done["status"], done["outcome"], done["done_by"]) == ("done", "reached", "ana")
    assert done["done_at"] == "2026-03-02T10:00:00Z"
    assert await _due_at(door.adapters) == START + HOUR
    ana = "person:ana via key:console"
    assert await door.history("task-1") == [
        ("playbook:account_at_risk", "opened", "step follow_up of run run-1"),
        (ana, "claimed", "by ana"),
        (ana, "completed", "reached"),
        (ana, "commented", "All good."),
    ]
    lines = (await door.get("audit", subject="task:task-1"))["audit"]
    assert [(each["actor"], each["action"]) for each in lines] == [
        (ana, "task_completed"),
        (ana, "task_claimed"),
    ]
    assert lines[0]["detail"]["changed"] == {
        "status": "done",
        "outcome": "reached",
        "done_at": "2026-03-02T10:00:00Z",
        "done_by": "ana",
    }
    assert door.commits == 2


@pytest.mark.usefixtures("acme")
async def test_each_change_is_told_once_as_a_fact_with_an_id_of_its_own(door: Door) -> None:
    await door.post("tasks/task-1:claim", by=ANA)
    await door.post("tasks/task-1:complete", {"outcome": "reached"}, by=ANA)
    told = await door.facts()
    [(_, claimed), (event, done)] = told
    assert (claimed.status, claimed.owner, claimed.outcome) == ("open", "ana", None)
    assert (event.type, event.source, event.subject) == ("csm.task.changed", "/csm/playbooks", "acme")
    assert done == TaskChanged(
        id="task-1",
        status="done",
        run="run-1",
        playbook="account_at_risk",
        type="follow_up",
        reason="at_risk",
        owner="ana",
        due="2026-03-03T09:00:00+00:00",
        outcome="reached",
        actor="person:ana via key:console",
    )
    assert len({event.id for event, _ in told}) == 2


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("claim", None),
        ("assign", {"to": "ben"}),
        ("assign", {"round_robin": ["ben", "cem"]}),
        ("assign", {"least_loaded": ["cem", "ben"]}),
        ("snooze", {"until": "2026-03-05T09:00:00Z"}),
        ("snooze", {"score": 30}),
        ("complete", {"outcome": "reached", "comment": "Once."}),
        ("cancel", {"reason": "no longer a customer"}),
        ("reopen", None),
    ],
    ids=["claim", "to", "turns", "loads", "until", "score", "complete", "cancel", "reopen"],
)
async def test_a_request_that_is_sent_twice_changes_nothing_more(door: Door, path: str, body: Any) -> None:
    first = await door.post(f"tasks/task-1:{path}", body, by=ANA)
    told, history = await door.facts(), await door.history("task-1")
    door.clock.advance(MINUTE)
    assert await door.post(f"tasks/task-1:{path}", body, by=ANA) == first
    assert (await door.facts(), await door.history("task-1")) == (told, history)


@pytest.mark.usefixtures("acme")
async def test_what_somebody_has_claimed_is_theirs_until_it_is_assigned(door: Door) -> None:
    await door.post("tasks/task-1:claim", by=ANA)
    for path, body in (
        ("claim", None),
        ("complete", {"outcome": "reached"}),
        ("snooze", {"score": 3}),
    ):
        refused = await door.post(f"tasks/task-1:{path}", body, 409, by=BEN)
        assert refused["code"] == "task_claimed"
        assert refused["message"] == "ana has claimed task task-1; :assign gives it to somebody else."
    given = await door.post("tasks/task-1:assign", {"to": "ben"}, by=BEN)
    assert (given["owner"], given["claimed_by"]) == ("ben", None)
    assert (await door.post("tasks/task-1:claim", by=BEN))["claimed_by"] == "ben"


@pytest.mark.usefixtures("acme")
async def test_what_is_done_is_done_until_it_is_reopened(door: Door) -> None:
    await door.post("tasks/task-1:complete", {"outcome": "reached"}, by=ANA)
    for path, body in (
        ("claim", None),
        ("assign", {"to": "ben"}),
        ("snooze", {"score": 3}),
        ("complete", {"outcome": "not_reached"}),
        ("cancel", {"reason": "why not"}),
    ):
        refused = await door.post(f"tasks/task-1:{path}", body, 409, by=ANA)
        assert refused["message"] == (
            "Task task-1 is done already: by ana at 2026-03-02T09:00:00Z, the outcome is 'reached'."
            " Reopen it first, with :reopen."
        )
    assert (await door.post("tasks/task-1:complete", {"outcome": "reached"}, 409, by=BEN))[
        "code"
    ] == "task_done"
    again = await door.post("tasks/task-1:reopen", by=BEN)
    assert (again["status"], again["outcome"], again["done_at"], again["claimed_by"]) == (
        "open",
        None,
        None,
        None,
    )


@pytest.mark.usefixtures("acme")
async def test_a_task_cannot_be_reopened_beside_the_one_that_took_its_place(door: Door) -> None:
    await door.post("tasks/task-1:cancel", {"reason": "a mistake"})
    same = {"account_id": "acme", "type": "follow_up", "title": "Call", "reason": "at_risk", "due_in": "1wd"}
    await door.post("tasks", same, 201)
    refused = await door.post("tasks/task-1:reopen", expected=409)
    assert "acme has another open task of the type 'follow_up'" in refused["message"]


@pytest.mark.usefixtures("acme")
async def test_two_who_claim_at_once_do_not_both_get_it(door: Door) -> None:
    people = [{"X-CSM-Person": f"person-{number}"} for number in range(5)]
    answers = await asyncio.gather(
        *(door.client.post("/v1/tasks/task-1:claim", headers=each) for each in people)
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409]
    [winner] = [each.json()["claimed_by"] for each in answers if each.status_code == 200]
    task = (await door.get("tasks/task-1"))["task"]
    assert (task["claimed_by"], task["owner"]) == (winner, winner)
    assert len(await door.facts()) == 1


@pytest.mark.usefixtures("acme")
async def test_who_waits_behind_another_change_sees_what_it_did(door: Door) -> None:
    """The second connection waits for the row, and decides on what is there then."""
    async with door.adapters.transactions.begin() as other:
        assert await other.tasks.lock("task-1") is not None
        claiming = asyncio.create_task(door.client.post("/v1/tasks/task-1:claim", headers=BEN))
        await other.tasks.write(a_task(claimed_by="ana", owner="ana"))
    assert (await claiming).status_code == 409


@pytest.mark.usefixtures("acme")
async def test_a_completion_waits_for_the_run_that_is_in_a_workers_hand(door: Door) -> None:
    """Workers lock runs before tasks, so whoever changes a task does, too: none waits for the other for good."""
    async with door.adapters.transactions.begin() as worker:
        await worker.runs.lock(["run-1"])
        done = asyncio.create_task(door.client.post("/v1/tasks/task-1:complete", json={"outcome": "reached"}))
        await worker.tasks.open([a_task("task-2", title="Call them again")])
    assert (await done).status_code == 200
    task = (await door.get("tasks/task-1"))["task"]
    assert (task["title"], task["status"], task["asked"]) == ("Call them again", "done", 2)


@pytest.mark.usefixtures("acme")
async def test_a_snoozed_task_comes_back_when_it_is_claimed(door: Door) -> None:
    asleep = await door.post("tasks/task-1:snooze", {"until": "2026-03-05T09:00:00Z", "score": 20})
    assert (asleep["status"], asleep["snoozed_until"], asleep["snoozed_score"]) == (
        "snoozed",
        "2026-03-05T09:00:00Z",
        20.0,
    )
    assert (await door.history("task-1"))[-1] == (
        "key:console",
        "snoozed",
        "until 2026-03-05T09:00:00Z, or until the score is at 20 or below",
    )
    awake = await door.post("tasks/task-1:claim", by=ANA)
    assert (awake["status"], awake["snoozed_until"], awake["snoozed_score"]) == ("open", None, None)


@pytest.mark.usefixtures("acme")
async def test_a_task_is_not_put_aside_until_what_has_come_already(door: Door) -> None:
    late = await door.post("tasks/task-1:snooze", {"until": "2026-03-02T09:00:00Z"}, 400)
    assert "which is not in the future" in late["message"]
    low = await door.post("tasks/task-1:snooze", {"score": 42}, 400)
    assert low["message"].startswith("The score of acme is 42, at 42 or below already")


@pytest.mark.usefixtures("acme")
async def test_a_comment_is_kept_once_and_changes_nothing(door: Door) -> None:
    for _ in range(2):
        said = await door.post("tasks/task-1/comments", {"text": "They called."}, 201, by=ANA)
        door.clock.advance(MINUTE)
    assert (said["actor"], said["text"], said["at"]) == (
        "person:ana via key:console",
        "They called.",
        "2026-03-02T09:00:00Z",
    )
    await door.post("tasks/task-1/comments", {"text": "They called."}, 201, by=BEN)
    assert [action for _, action, _ in await door.history("task-1")] == ["opened", "commented", "commented"]
    assert await door.facts() == []
    assert [each["action"] for each in (await door.get("audit", account="acme"))["audit"]] == [
        "task_commented"
    ] * 2


# ---- opened by hand


@pytest.mark.usefixtures("acme")
async def test_a_person_opens_a_task_for_the_owner_of_the_account(door: Door) -> None:
    asked = {
        "account_id": "acme",
        "type": "call",
        "title": "Ask",
        "reason": "rumour",
        "due_in": "3wd",
        "comment": "Heard it at the fair.",
    }
    task = await door.post("tasks", asked, 201, by=ANA)
    assert (task["owner"], task["run_id"], task["playbook"]) == ("maria", None, None)
    assert task["due_at"] == "2026-03-05T09:00:00Z"
    ana = "person:ana via key:console"
    assert await door.history(task["id"]) == [
        (ana, "opened", "Ask"),
        (ana, "commented", "Heard it at the fair."),
    ]
    [(_, fact)] = await door.facts()
    assert (fact.id, fact.status, fact.run, fact.type) == (task["id"], "open", None, "call")
    again = await door.post("tasks", {**asked, "title": "Ask again"}, 200, by=BEN)
    assert (again["id"], again["title"], again["asked"]) == (task["id"], "Ask again", 2)


@pytest.mark.usefixtures("acme")
async def test_a_task_by_hand_goes_to_whoever_it_is_given(door: Door) -> None:
    base = {"account_id": "acme", "type": "call", "title": "Ask", "due_at": "2026-03-09T12:00:00+02:00"}
    owners = []
    for number, assignee in enumerate(
        (
            {"to": "zoe"},
            {"round_robin": ["ana", "ben"]},
            {"round_robin": ["ana", "ben"]},
            {"least_loaded": ["zoe", "cem"]},
        )
    ):
        task = await door.post("tasks", {**base, "reason": str(number), "assignee": assignee}, 201)
        owners.append(task["owner"])
        assert task["due_at"] == "2026-03-09T10:00:00Z"
    assert owners == ["zoe", "ana", "ben", "cem"]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "wrong",
    [
        {"due_in": None},
        {"due_at": "2026-03-09T12:00:00Z"},
        {"due_in": None, "due_at": "2026-03-09T12:00:00"},
        {"due_in": None, "due_at": "0001-01-01T00:00:00+14:00"},
        {"due_in": "soon"},
        {"title": " "},
        {"title": "a\x00b"},
        {"type": "Not A Name"},
        {"assignee": {}},
        {"assignee": {"to": "ana", "round_robin": ["ben"]}},
        {"assignee": {"round_robin": ["ben", "ben"]}},
        {"unknown": 1},
    ],
    ids=lambda wrong: ",".join(f"{name}={value}" for name, value in wrong.items()).replace("\x00", "NUL"),
)
async def test_what_is_no_task_is_refused(door: Door, wrong: dict[str, Any]) -> None:
    body = {"account_id": "acme", "type": "call", "title": "Ask", "reason": "rumour", "due_in": "3wd"} | wrong
    await door.post("tasks", {name: value for name, value in body.items() if value is not None}, 422)


async def test_an_account_that_nobody_knows_has_no_tasks(door: Door) -> None:
    body = {"account_id": "nobody", "type": "call", "title": "Ask", "reason": "rumour", "due_in": "3wd"}
    assert "no account 'nobody'" in (await door.post("tasks", body, 404))["message"]


@pytest.mark.parametrize("path", ["claim", "reopen", "assign", "snooze", "complete", "cancel", "comments"])
async def test_a_task_that_is_not_there_is_not_found(door: Door, path: str) -> None:
    bodies: dict[str, Any] = {
        "assign": {"to": "ana"},
        "snooze": {"score": 3},
        "complete": {"outcome": "reached"},
        "cancel": {"reason": "why"},
        "comments": {"text": "hello"},
    }
    route = f"tasks/nope/{path}" if path == "comments" else f"tasks/nope:{path}"
    refused = await door.post(route, bodies.get(path), 404)
    assert refused["message"] == "There is no task 'nope'; GET /v1/tasks lists them."


# ---- lists


async def test_tasks_are_filtered_ordered_by_due_date_and_paged(door: Door) -> None:
    tasks = [
        a_task("task-1", due_at=START + DAY),
        a_task("task-2", account_id="beta", due_at=START - HOUR, owner=None),
        a_task("task-3", reason="3", due_at=START - DAY, owner="ana", type="rescue", playbook="other"),
        a_task("task-4", reason="4", due_at=START + DAY, status="snoozed", snoozed_score=3.0),
        a_task("task-5", reason="5", due_at=START - DAY, status="done"),
    ]
    async with door.adapters.transactions.begin() as store:
        await with_runs(store, a_run())
        await store.tasks.open(tasks)

    async def ids(**params: Any) -> list[str]:
        return [each["id"] for each in (await door.get("tasks", **params))["tasks"]]

    everything = ["task-3", "task-5", "task-2", "task-1", "task-4"]
    assert await ids() == everything
    assert await ids(account="acme", status="open") == ["task-3", "task-1"]
    assert await ids(owner="ana") == ["task-3"]
    assert await ids(unassigned=True) == ["task-2"]
    assert await ids(overdue=True) == ["task-3", "task-2"]
    assert await ids(due_before="2026-03-02T08:00:00Z") == ["task-3", "task-5"]
    assert await ids(type="rescue", playbook="other") == ["task-3"]
    assert await ids(status="snoozed") == ["task-4"]
    paged: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = await door.get("tasks", **params)
        paged += [each["id"] for each in page["tasks"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == everything
    await door.get("tasks", 400, cursor="made up")
    await door.get("tasks", 422, status="lost")
    await door.get("tasks/nope", 404)


# ---- approvals


async def _ask(adapters: Adapters, **members: Any) -> None:
    """Run-1 waits for an answer until tomorrow."""
    asking = a_run(step="ask", awaits="approval", wake_at=START + DAY, due_at=START + DAY)
    async with adapters.transactions.begin() as store:
        await store.accounts.save([received_snapshot(a_snapshot())])
        await with_runs(store, asking)
        await store.approvals.ask([an_approval(**members)])


@pytest.mark.parametrize(("path", "said"), [("approve", "approved"), ("reject", "rejected")])
async def test_an_answer_makes_the_run_due_at_once(door: Door, path: str, said: Any) -> None:
    await _ask(door.adapters)
    door.clock.advance(HOUR)
    maria = {"X-CSM-Person": "maria"}
    answered = await door.post(f"approvals/approval-1:{path}", {"comment": "Go on."}, by=maria)
    assert (answered["status"], answered["answered_by"], answered["comment"]) == (
        said,
        "person:maria via key:console",
        "Go on.",
    )
    assert await _due_at(door.adapters) == START + HOUR
    async with door.adapters.transactions.begin() as store:
        assert await store.approvals.answers(["run-1"]) == {
            ("run-1", "ask"): Answer(said=said, by="person:maria via key:console", comment="Go on.")
        }
    [line] = (await door.get("audit", subject="approval:approval-1"))["audit"]
    assert (line["action"], line["actor"]) == (f"approval_{said}", "person:maria via key:console")
    assert line["detail"] == {
        "run": "run-1",
        "playbook": "account_at_risk",
        "step": "ask",
        "comment": "Go on.",
    }
    assert await door.post(f"approvals/approval-1:{path}", {"comment": "Go on."}, by=maria) == answered
    assert door.commits == 1


async def test_only_those_who_are_asked_may_answer(door: Door) -> None:
    await _ask(door.adapters, by=("owner", "ben"))
    refused = await door.post("approvals/approval-1:approve", expected=403, by=ANA)
    assert refused["message"] == "ana is not asked; it is up to the owner of acme (maria), ben."
    assert (await door.post("approvals/approval-1:approve", by=BEN))["status"] == "approved"


async def test_the_owner_is_whoever_owns_the_account_now(door: Door) -> None:
    await _ask(door.adapters)
    async with door.adapters.transactions.begin() as store:
        newer = a_snapshot(revision=2, attributes={"owner": "ana"})
        await store.accounts.save([received_snapshot(newer)])
    await door.post("approvals/approval-1:approve", expected=403, by={"X-CSM-Person": "maria"})
    await door.post("approvals/approval-1:approve", by=ANA)


async def test_a_key_without_a_person_answers_for_its_system(door: Door) -> None:
    await _ask(door.adapters, by=("ben",))
    assert (await door.post("approvals/approval-1:reject"))["answered_by"] == "key:console"


async def test_what_is_answered_stays_answered(door: Door) -> None:
    await _ask(door.adapters, by=("ana", "ben"))
    await door.post("approvals/approval-1:approve", {"comment": "Fine."}, by=ANA)
    for path in ("approve", "reject"):
        refused = await door.post(f"approvals/approval-1:{path}", expected=409, by=BEN)
        assert refused["message"] == (
            "It is approved already, at 2026-03-02T09:00:00Z by person:ana via key:console: Fine."
        )


async def test_what_has_expired_is_answered_no_more(door: Door) -> None:
    await _ask(door.adapters)
    door.clock.advance(DAY)
    refused = await door.post("approvals/approval-1:approve", expected=409)
    assert refused["message"] == "It expired at 2026-03-03T09:00:00Z, and nobody had answered."


async def test_a_run_that_has_ended_waits_for_no_answer(door: Door) -> None:
    await _ask(door.adapters)
    async with door.adapters.transactions.begin() as store:
        [run] = await store.runs.lock(["run-1"])
        await store.runs.update(
            [
                replace(
                    run, status="exited", awaits=None, due_at=None, ended_at=START, reason="at_risk was left"
                )
            ]
        )
    refused = await door.post("approvals/approval-1:approve", expected=409)
    assert refused["message"] == (
        "Nobody waits for an answer any more: run run-1 is exited: at_risk was left."
    )


async def test_of_two_answers_at_once_one_counts(door: Door) -> None:
    await _ask(door.adapters, by=("ana", "ben"))
    yes, no = await asyncio.gather(
        door.client.post("/v1/approvals/approval-1:approve", headers=ANA),
        door.client.post("/v1/approvals/approval-1:reject", headers=BEN),
    )
    assert sorted((yes.status_code, no.status_code)) == [200, 409]


async def test_an_answer_that_waits_behind_the_expiry_comes_too_late(door: Door) -> None:
    await _ask(door.adapters)
    async with door.adapters.transactions.begin() as worker:
        await worker.runs.lock(["run-1"])
        answering = asyncio.create_task(door.client.post("/v1/approvals/approval-1:approve"))
        await worker.approvals.close([("run-1", "ask")], START)
        [run] = await worker.runs.lock(["run-1"])
        await worker.runs.update([replace(run, step="offer", awaits=None, due_at=START)])
    refused = await answering
    assert refused.status_code == 409
    assert refused.json()["message"] == "Nobody waits for an answer any more: run run-1 has gone on."


async def test_questions_are_filtered_and_paged(door: Door) -> None:
    asked = [
        an_approval("approval-1"),
        an_approval("approval-2", step="b", by=("ben",), asked_at=START + HOUR),
        an_approval("approval-3", step="c", account_id="beta", playbook="other", asked_at=START + HOUR),
    ]
    async with door.adapters.transactions.begin() as store:
        await with_runs(store, a_run())
        await store.approvals.ask(asked)

    async def ids(**params: Any) -> list[str]:
        return [each["id"] for each in (await door.get("approvals", **params))["approvals"]]

    assert await ids() == ["approval-3", "approval-2", "approval-1"]
    assert await ids(account="beta") == await ids(playbook="other") == ["approval-3"]
    assert await ids(by="ben") == ["approval-2"]
    assert await ids(run="run-1", status="pending") == ["approval-3", "approval-2", "approval-1"]
    assert await ids(status="approved") == []
    first = await door.get("approvals", limit=2)
    rest = await door.get("approvals", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in rest["approvals"]] == ["approval-1"]
    assert (await door.get("approvals/approval-2"))["by"] == ["ben"]
    await door.get("approvals/nope", 404)
    await door.post("approvals/nope:approve", expected=404)


# ---- audit


@pytest.mark.usefixtures("acme")
async def test_the_audit_is_filtered_and_paged(door: Door) -> None:
    await door.post("tasks/task-1:claim", by=ANA)
    door.clock.advance(HOUR)
    await door.post("tasks/task-1:assign", {"to": "ben"})
    await door.post("tasks/task-1:complete", {"outcome": "reached"}, by=BEN)

    async def actions(**params: Any) -> list[str]:
        return [each["action"] for each in (await door.get("audit", **params))["audit"]]

    everything = ["task_completed", "task_assigned", "task_claimed"]
    assert await actions() == everything
    assert await actions(actor="person:ana") == ["task_claimed"]
    assert await actions(actor="person:ana via key:console") == ["task_claimed"]
    assert await actions(actor="key:console", account="acme") == everything
    assert await actions(actor="person:an") == await actions(actor="playbook:task") == []
    assert await actions(action="task_assigned", subject="task:task-1") == ["task_assigned"]
    assert await actions(since="2026-03-02T10:00:00Z") == everything[:2]
    first = await door.get("audit", limit=2)
    rest = await door.get("audit", limit=2, cursor=first["next_cursor"])
    assert [each["action"] for each in rest["audit"]] == ["task_claimed"]
    await door.get("audit", 400, cursor="made up")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("FROM tasks WHERE owner = 'ana' ORDER BY due_at, id LIMIT 100", "tasks_owner"),
        ("FROM tasks WHERE account_id = 'acme' ORDER BY due_at, id LIMIT 100", "tasks_account"),
        ("FROM tasks WHERE due_at < now() ORDER BY due_at, id LIMIT 100", "tasks_due"),
        ("FROM audit WHERE subject = 'task:1' ORDER BY id DESC LIMIT 100", "audit_subject"),
        (
            "FROM audit WHERE string_to_array(actor, ' via ') @> string_to_array('person:ana', ' via ')"
            " AND actor NOT LIKE 'playbook:%' AND actor <> 'system' ORDER BY id DESC LIMIT 100",
            "audit_people",
        ),
    ],
    ids=["owner", "account", "due", "subject", "person"],
)
async def test_a_list_is_answered_by_an_index(adapters: Adapters, query: str, index: str) -> None:
    async with adapters.engine.connect() as connection:
        for costly in ("seqscan", "sort", "indexscan" if index == "audit_people" else "bitmapscan"):
            await connection.execute(text(f"SET LOCAL enable_{costly} = off"))
        plan = "\n".join(await connection.scalars(text(f"EXPLAIN SELECT id {query}")))
    assert index in plan


# ---- who may


@pytest.mark.usefixtures("acme")
async def test_reading_and_changing_need_scopes_of_their_own(door: Door, keys: MemoryKeys) -> None:
    reader = {"Authorization": f"Bearer {keys.add('k2', scopes=['playbooks:read'])}"}
    writer = {"Authorization": f"Bearer {keys.add('k3', scopes=['tasks:write'])}"}
    for path in ("tasks", "tasks/task-1", "approvals", "approvals/a", "audit"):
        assert (await door.client.get(f"/v1/{path}", headers=writer)).status_code == 403
    for path in ("tasks/task-1:claim", "approvals/a:approve"):
        assert (await door.client.post(f"/v1/{path}", headers=reader)).status_code == 403
    assert (await door.client.post("/v1/tasks/task-1:claim", headers=writer)).status_code == 200


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "person",
    ["", "  ", "a\tb", "x" * 201, "key:console", "ana via key:crm"],
    ids=["empty", "blank", "tab", "long", "key", "via"],
)
async def test_a_person_has_to_be_somebody(door: Door, person: str) -> None:
    refused = await door.post("tasks/task-1:claim", expected=400, by={"X-CSM-Person": person})
    assert "X-CSM-Person must be the contact id of a person" in refused["message"]


@pytest.mark.usefixtures("acme")
async def test_a_person_may_be_called_anything_that_can_be_written(door: Door) -> None:
    claimed = await door.client.post(
        "/v1/tasks/task-1:claim", headers=[(b"X-CSM-Person", "jürgen/名".encode())]
    )
    assert claimed.json()["claimed_by"] == "jürgen/名"


# ---- examples


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (Task, examples.TASK),
        (Task, examples.TASK_BY_HAND),
        (TaskPage, examples.TASK_PAGE),
        (TaskStory, examples.TASK_STORY),
        (TaskNote, examples.COMMENT),
        (Approval, examples.APPROVAL),
        (ApprovalPage, examples.APPROVAL_PAGE),
        (AuditPage, examples.AUDIT_PAGE),
    ],
    ids=["task", "by_hand", "tasks", "story", "comment", "approval", "approvals", "audit"],
)
def test_each_example_is_what_its_route_can_give(kind: Any, shown: dict[str, Any]) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.dump_python(adapter.validate_python(shown), mode="json") == shown
