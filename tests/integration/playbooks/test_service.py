"""From a crossing on its topic to the request on the next one and the task in the database: under repeats, deaths, restarts."""

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.integration.playbooks.service import Death, KilledError, Service
from tests.support.brokers import Broker
from tests.support.logs import publish, read
from tests.support.waiting import eventually
from tests.unit.playbooks.builders import a_crossing, a_snapshot
from tests.unit.playbooks.engine.replay import HISTORIES

from csm_common.contracts.health import AccountSnapshot
from csm_common.contracts.topics import (
    CUSTOMER_EVENTS,
    HEALTH_CROSSINGS,
    NOTIFICATION_REQUESTS,
    TOPICS,
)
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from playbooks.adapters.definitions import decode_definition
from playbooks.application.handlers.definitions import publish as publish_playbooks
from playbooks.application.model import Task
from playbooks.domain.run import Run

STORED = msgspec.json.decode((HISTORIES / "stored_0001.json").read_bytes())
AT_RISK, CRITICAL = (decode_definition(msgspec.json.encode(each["definition"])) for each in STORED[:2])


@pytest.fixture
async def service(adapters: Adapters, fresh_broker: Broker) -> Service:
    """The service with two playbooks, one with a wait and one without, not running yet."""
    await fresh_broker.create(*TOPICS)
    service = Service(adapters, fresh_broker.settings)
    await publish_playbooks(adapters.transactions, [AT_RISK, CRITICAL], service.clock)
    return service


@pytest.fixture
def account() -> str:
    """An account no other test has: the topics are the module's."""
    return f"account-{uuid4().hex[:8]}"


async def runs_of(service: Service, account: str) -> list[Run]:
    return [run for run in await service.tables.rows(Run) if run.account_id == account]


async def tasks_of(service: Service, account: str) -> list[Task]:
    return [task for task in await service.tables.rows(Task) if task.account_id == account]


async def the_run(service: Service, account: str, status: str, position: int) -> Run:
    """The account's only run, once it has come so far."""

    async def come() -> Run | None:
        found = [
            run for run in await runs_of(service, account) if (run.status, run.position) == (status, position)
        ]
        return found[0] if found else None

    run: Run | None = await eventually(come, what=f"the run is {status} after {position} steps")
    assert run is not None
    assert [each.id for each in await runs_of(service, account)] == [run.id]
    return run


async def test_a_critical_account_leads_to_a_request_a_task_and_a_fact(
    service: Service, account: str
) -> None:
    crossing = (f"c-{account}", a_crossing(account, threshold="critical"))
    async with service.running():
        await service.tell(a_snapshot(account), crossing)
        run = await the_run(service, account, "completed", 2)

    assert run.id == derived_id("run", "account_critical", 1, crossing[0])
    [request] = await service.events(NOTIFICATION_REQUESTS, account)
    assert request.id == derived_id("notification", run.id, "tell_owner")
    assert request.data["recipients"] == [{"kind": "owner", "value": None}]
    assert request.data["chain"]["crossing_id"] == crossing[0]
    [task] = await tasks_of(service, account)
    assert (task.id, task.type, task.owner) == (derived_id("task", run.id, "rescue"), "rescue", "maria")
    [fact] = await service.events(CUSTOMER_EVENTS, account)
    assert (fact.type, fact.data["id"], fact.data["status"]) == ("csm.task.changed", task.id, "open")


async def test_a_crossing_that_is_delivered_again_doubles_nothing(service: Service, account: str) -> None:
    crossing = (f"c-{account}", a_crossing(account, threshold="critical"))
    async with service.running():
        await service.tell(crossing, crossing)
        await the_run(service, account, "completed", 2)
    async with service.running():
        other = f"other-{account}"
        await service.tell(crossing, (f"c-{other}", a_crossing(other, threshold="critical")))
        await the_run(service, other, "completed", 2)
    assert len(await runs_of(service, account)) == 1
    assert len(await service.events(NOTIFICATION_REQUESTS, account)) == 1
    assert [task.asked for task in await tasks_of(service, account)] == [1]


async def test_a_recovery_ends_the_run_before_its_task(service: Service, account: str) -> None:
    async with service.running() as ticker:
        await service.tell((f"c1-{account}", a_crossing(account)))
        await the_run(service, account, "active", 1)
        await service.tell((f"c2-{account}", a_crossing(account, direction="left")))
        run = await the_run(service, account, "exited", 1)
        service.clock.advance(timedelta(days=3))
        ticker.wake()
        # Another run goes all its way after the clock was moved: had this one gone on, it would have by then.
        other = f"other-{account}"
        await service.tell((f"c3-{account}", a_crossing(other, threshold="critical")))
        await the_run(service, other, "completed", 2)
    assert run.exit_crossing_id == f"c2-{account}"
    assert await tasks_of(service, account) == []


async def test_a_wait_goes_on_after_a_restart(service: Service, account: str) -> None:
    async with service.running():
        await service.tell((f"c-{account}", a_crossing(account)))
        await eventually(lambda: waiting(service, account))
    [before] = await runs_of(service, account)
    service.clock.advance(timedelta(hours=47))
    async with service.running():
        [task_free] = await runs_of(service, account)
        assert (task_free.wake_at, task_free.position) == (before.wake_at, 1)
    service.clock.advance(timedelta(hours=1))
    async with service.running():
        await the_run(service, account, "completed", 3)
    [task] = await tasks_of(service, account)
    assert (task.type, task.reason) == ("follow_up", "at_risk")
    assert len(await service.events(NOTIFICATION_REQUESTS, account)) == 1


async def waiting(service: Service, account: str) -> bool:
    return any(run.wake_at for run in await runs_of(service, account))


@pytest.mark.parametrize("death", [{"runs": 1}, {"results": 1}, {"results": 2}], ids=repr)
async def test_a_process_that_dies_before_a_commit_is_as_if_it_had_not_been(
    service: Service, account: str, death: dict[str, int]
) -> None:
    await service.tell((f"c-{account}", a_crossing(account, threshold="critical")))
    with pytest.raises(KilledError):
        await die(service, Death(**death))
    async with service.running():
        run = await the_run(service, account, "completed", 2)
    assert run.id == derived_id("run", "account_critical", 1, f"c-{account}")
    assert [each.id for each in await service.events(NOTIFICATION_REQUESTS, account)] == [
        derived_id("notification", run.id, "tell_owner")
    ]
    assert [(task.id, task.asked) for task in await tasks_of(service, account)] == [
        (derived_id("task", run.id, "rescue"), 1)
    ]
    assert len(await service.events(CUSTOMER_EVENTS, account)) == 1


async def die(service: Service, death: Death) -> None:
    async with service.running(death):
        await eventually(lambda: death.come)


async def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on(
    service: Service, account: str
) -> None:
    broken = Message(HEALTH_CROSSINGS.name, account.encode(), f"no envelope of {account}".encode())
    async with service.running():
        await publish(service.settings, [broken])
        await service.tell((f"c-{account}", a_crossing(account, threshold="critical")))
        await the_run(service, account, "completed", 2)
        letters = await read(service.settings, HEALTH_CROSSINGS.dead_letters, 1)
    assert broken.value in [each.value for each in letters]
    assert {each.headers["dlq-code"] for each in letters} == {"undecodable"}


async def test_the_newest_snapshot_is_kept_whatever_the_order(service: Service, account: str) -> None:
    async with service.running():
        newer, older = a_snapshot(account, revision=2, score=10.0), a_snapshot(account, revision=1)
        await service.tell(newer, older, a_snapshot(f"other-{account}"))
        await eventually(lambda: known(service, f"other-{account}"))
        await eventually(lambda: known(service, account))
    assert await known(service, account) == newer


async def known(service: Service, account: str) -> AccountSnapshot | None:
    async with service.adapters.transactions.begin() as store:
        return (await store.accounts.newest([account])).get(account)
