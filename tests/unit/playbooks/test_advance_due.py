"""Due runs go a step further: the effect, its result and the run's new state last together or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import (
    NOTIFY,
    TASK,
    WAIT,
    a_crossing,
    a_definition,
    a_snapshot,
    received,
    received_snapshot,
)
from tests.unit.playbooks.memory import MemoryDatabase, MemoryStore

from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.facts import TaskChanged
from csm_common.contracts.notifications import NotificationRequest, Recipient
from csm_common.contracts.topics import CUSTOMER_EVENTS, NOTIFICATION_REQUESTS
from csm_common.errors import TransientError
from csm_common.ids import derived_id
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.application.handlers.steps import Advanced, advance_due
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run, StepResult

RETRY = (1.0, 10.0)
RUN_ID = derived_id("run", "account_at_risk", 1, "c-1")


class Service:
    """The handlers over the fake, with one run of `account_at_risk` that is due."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database
        self.clock = ManualClock()

    async def begin(self, *definitions: Definition, traceparent: str | None = None) -> None:
        await publish(self.database, definitions, self.clock)
        async with self.database.begin() as store:
            await handle_crossings(store, [received("c-1", a_crossing(), traceparent)], self.clock.now())

    async def tick(self, times: int = 1, limit: int = 100) -> Advanced:
        for _ in range(times):
            advanced = await advance_due(self.database, self.clock.now(), limit=limit, retry_after_s=RETRY)
        return advanced

    async def learn(self, **members: Any) -> None:
        async with self.database.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot(**members))])

    @property
    def run(self) -> Run:
        return self.database.state.runs[RUN_ID]

    def results(self, run_id: str = RUN_ID) -> list[StepResult]:
        return [each for key, each in self.database.state.results.items() if key[0] == run_id]

    def envelopes(self, topic: str) -> list[RawEnvelope]:
        messages = [each for each in self.database.state.messages if each.topic == topic]
        assert all(each.key == b"acme" for each in messages)
        return [msgspec.json.decode(each.value or b"", type=RawEnvelope) for each in messages]

    def requests(self) -> list[NotificationRequest]:
        found = self.envelopes(NOTIFICATION_REQUESTS.name)
        return [msgspec.json.decode(each.data, type=NotificationRequest) for each in found]


@pytest.fixture
def service() -> Service:
    return Service(MemoryDatabase())


# ---- what the steps do


async def test_a_notification_is_requested_with_all_that_explains_it(service: Service) -> None:
    await service.begin(a_definition())
    await service.tick()
    [envelope] = service.envelopes(NOTIFICATION_REQUESTS.name)
    assert envelope.id == derived_id("notification", RUN_ID, "tell")
    assert (envelope.source, envelope.type, envelope.subject, envelope.time) == (
        "/csm/playbooks",
        "csm.notification.requested",
        "acme",
        START,
    )
    [request] = service.requests()
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
            "crossing": {
                "threshold": "at_risk",
                "direction": "entered",
                "before": 57.0,
                "after": 42.0,
                "band_before": "neutral",
                "band_after": "at_risk",
                "parts": [{"measure": "logins", "before": 30.0, "after": 15.0}],
                "occurred_at": "2026-03-02T09:00:00Z",
            },
            "playbook": {"name": "account_at_risk", "title": "At risk"},
        },
        chain={
            "run_id": RUN_ID,
            "step": "tell",
            "playbook": "account_at_risk",
            "playbook_version": 1,
            "crossing_id": "c-1",
            "fact_ids": ["fact-1", "fact-2"],
        },
    )
    assert service.results() == [
        StepResult(
            run_id=RUN_ID,
            position=0,
            step="tell",
            kind="notify",
            at=START,
            outcome="requested",
            ref=envelope.id,
        )
    ]


async def test_a_task_is_opened_for_the_owner_and_told_as_a_fact(service: Service) -> None:
    await service.begin(a_definition(steps=(TASK,)))
    await service.tick()
    task_id = derived_id("task", RUN_ID, "follow_up")
    task = service.database.state.tasks[task_id]
    assert (task.account_id, task.type, task.title, task.reason, task.owner, task.status) == (
        "acme",
        "follow_up",
        "Call them",
        "at_risk",
        "maria",
        "open",
    )
    assert (task.due_at, task.run_id) == (START + timedelta(days=1), RUN_ID)
    [fact] = service.envelopes(CUSTOMER_EVENTS.name)
    assert (fact.type, fact.subject, fact.time) == ("csm.task.changed", "acme", START)
    assert msgspec.json.decode(fact.data, type=TaskChanged) == TaskChanged(
        id=task_id, status="open", run=RUN_ID, playbook="account_at_risk"
    )
    assert [(each.outcome, each.ref) for each in service.results()] == [("opened", task_id)]
    assert service.run.status == "completed"


async def test_a_task_that_is_open_already_is_updated(service: Service) -> None:
    await service.begin(a_definition(steps=(TASK,)), a_definition("b", steps=(TASK,)))
    await service.tick()
    [task] = service.database.state.tasks.values()
    assert task.asked == 2
    second = derived_id("run", "b", 1, "c-1")
    assert [(each.outcome, each.ref) for each in service.results(second)] == [("updated", task.id)]
    facts = service.envelopes(CUSTOMER_EVENTS.name)
    assert [msgspec.json.decode(each.data, type=TaskChanged).id for each in facts] == [task.id, task.id]
    assert len({each.id for each in facts}) == 2


@pytest.mark.parametrize(("owner", "told"), [(None, None), (7, "7")])
async def test_an_owner_need_not_be_a_name(service: Service, owner: object, told: str | None) -> None:
    await service.begin(a_definition(steps=(TASK,)))
    await service.learn(revision=2, attributes={"owner": owner})
    await service.tick()
    [task] = service.database.state.tasks.values()
    assert task.owner == told


async def test_later_steps_speak_of_the_account_as_it_is_then(service: Service) -> None:
    await service.begin(a_definition(steps=(WAIT, NOTIFY)))
    await service.tick()
    await service.learn(revision=2, score=33.0, attributes={"owner": "otto"})
    service.clock.advance(timedelta(days=2))
    await service.tick(2)
    [request] = service.requests()
    assert (request.context["score"], request.context["account"]) == (33.0, {"owner": "otto"})
    assert request.context["crossing"]["after"] == 42.0


async def test_an_older_snapshot_than_the_crossings_own_is_not_used(service: Service) -> None:
    await service.learn(revision=0, score=80.0)
    await service.begin(a_definition())
    await service.tick()
    assert service.requests()[0].context["score"] == 42.0


async def test_the_trace_goes_on_with_the_messages(service: Service) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await service.begin(a_definition(steps=(NOTIFY, TASK)), traceparent=trace)
    await service.tick(2)
    assert [dict(each.headers) for each in service.database.state.messages] == [{"traceparent": trace}] * 2


# ---- when they do it


async def test_one_step_a_round_up_to_the_wait(service: Service) -> None:
    await service.begin(a_definition())
    assert (await service.tick()).next_due == START
    wake_at = START + timedelta(days=2)
    assert (await service.tick()).next_due == wake_at
    assert await service.tick() == Advanced([], wake_at)
    assert (service.run.position, service.run.wake_at) == (1, wake_at)


async def test_a_wait_ends_when_it_was_to_end_and_the_run_completes(service: Service) -> None:
    await service.begin(a_definition())
    await service.tick(2)
    service.clock.advance(timedelta(days=2))
    await service.tick()
    advanced = await service.tick()
    assert [run.status for run in advanced.runs] == ["completed"]
    assert advanced.next_due is None
    assert [(each.step, each.outcome) for each in service.results()] == [
        ("tell", "requested"),
        ("wait", "waited"),
        ("follow_up", "opened"),
    ]


async def test_a_round_takes_no_more_than_its_batch(service: Service) -> None:
    await service.begin(*(a_definition(f"p{number}", steps=(NOTIFY,)) for number in range(3)))
    assert [len((await service.tick(limit=2)).runs) for _ in range(3)] == [2, 1, 0]


async def test_a_crash_before_the_commit_leaves_no_trace_and_the_same_ids_come_again(
    service: Service,
) -> None:
    await service.begin(a_definition(steps=(NOTIFY, TASK)))
    before = service.database.state.copied()
    service.database.crash = TransientError("killed")
    with pytest.raises(TransientError):
        await service.tick()
    assert service.database.state == before
    await service.tick(2)
    assert [each.id for each in service.envelopes(NOTIFICATION_REQUESTS.name)] == [
        derived_id("notification", RUN_ID, "tell")
    ]
    assert list(service.database.state.tasks) == [derived_id("task", RUN_ID, "follow_up")]


# ---- when a step fails


class Refusing(MemoryDatabase):
    """Refuses every transaction that opens a task of the account `acme`, as a database refuses a value."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryStore]:
        async with super().begin() as store:
            yield store
            opened = set(store.tasks._tasks) - set(self.state.tasks)
            if any(store.tasks._tasks[each].account_id == "acme" for each in opened):
                raise ValueError("invalid byte sequence\nin a statement of many lines")


async def test_a_step_that_keeps_failing_fails_its_run_visibly() -> None:
    service = Service(Refusing())
    await service.begin(a_definition(steps=(NOTIFY, TASK)))
    await service.tick()
    pauses = []
    for _ in range(3):
        await service.tick()
        pauses.append(service.run.due_at)
        if service.run.due_at is not None:
            service.clock.set(service.run.due_at)
    assert pauses == [START + timedelta(seconds=1), START + timedelta(seconds=11), None]
    assert (service.run.status, service.run.failures, service.run.error) == (
        "failed",
        3,
        "ValueError: invalid byte sequence",
    )
    assert [each.step for each in service.results()] == ["tell"]
    assert service.database.state.tasks == {}


async def test_a_broken_step_does_not_hold_up_the_runs_beside_it() -> None:
    service = Service(Refusing())
    await publish(service.database, [a_definition(steps=(TASK,))], service.clock)
    async with service.database.begin() as store:
        crossings = [
            received("c-1"),
            received("c-2", a_crossing("beta")),
            received("c-3", a_crossing("gamma")),
        ]
        await handle_crossings(store, crossings, START)
    advanced = await service.tick()
    assert {run.account_id: run.status for run in advanced.runs} == {
        "acme": "active",
        "beta": "completed",
        "gamma": "completed",
    }
    assert {task.account_id for task in service.database.state.tasks.values()} == {"beta", "gamma"}


async def test_an_error_before_any_run_was_taken_is_not_a_runs_fault(service: Service) -> None:
    service.database.crash = ValueError("a wrong statement")
    with pytest.raises(ValueError, match="a wrong statement"):
        await service.tick()


class AwayAfterFirst(Refusing):
    """Refuses as Refusing does, and then is away."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryStore]:
        self.begun += 1
        if self.begun == 4:
            raise TransientError("away")
        async with super().begin() as store:
            yield store


async def test_a_database_that_goes_away_is_not_a_runs_fault() -> None:
    database = AwayAfterFirst()
    service = Service(database)
    await service.begin(a_definition(steps=(TASK,)))
    before = replace(service.run)
    with pytest.raises(TransientError):
        await service.tick()
    assert database.begun == 4
    assert service.run == before
