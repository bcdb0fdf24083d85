"""PostgreSQL keeps the contracts of tasks, approvals and audit; and turns are right when two ask at once."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.contracts.approvals import ApprovalsContract
from tests.unit.playbooks.contracts.audit import AuditContract
from tests.unit.playbooks.contracts.rows import DAY, a_task
from tests.unit.playbooks.contracts.tasks import IN_TURN, TasksContract

from playbooks.adapters.postgres.pruning import PostgresPruning
from playbooks.application.model import TaskNote
from playbooks.application.ports import Transactions


@pytest.fixture
def transactions(adapters: Adapters) -> Transactions:
    return adapters.transactions


class TestTasks(TasksContract):
    """TasksContract on PostgreSQL."""


class TestApprovals(ApprovalsContract):
    """ApprovalsContract on PostgreSQL."""


class TestAudit(AuditContract):
    """AuditContract on PostgreSQL."""


async def test_who_asks_for_a_turn_waits_until_the_turn_before_is_known_to_last(
    transactions: Transactions,
) -> None:
    async def choose() -> list[str]:
        async with transactions.begin() as store:
            return await store.tasks.choose([IN_TURN])

    async with transactions.begin() as first:
        assert await first.tasks.choose([IN_TURN]) == ["ana"]
        second = asyncio.create_task(choose())
    assert await second == ["ben"]


async def test_a_turn_that_does_not_last_is_taken_again(transactions: Transactions) -> None:
    class UndoneError(Exception):
        pass

    async def choose_and_raise() -> None:
        async with transactions.begin() as store:
            await store.tasks.choose([IN_TURN])
            raise UndoneError

    with pytest.raises(UndoneError):
        await choose_and_raise()
    async with transactions.begin() as store:
        assert await store.tasks.choose([IN_TURN]) == ["ana"]


async def test_many_who_ask_at_once_get_turns_of_their_own(transactions: Transactions) -> None:
    async def choose() -> list[str]:
        async with transactions.begin() as store:
            return await store.tasks.choose([IN_TURN, IN_TURN])

    drawn = [person for each in await asyncio.gather(*(choose() for _ in range(6))) for person in each]
    assert sorted(drawn) == sorted(("ana", "ben", "cem") * 4)


async def test_a_task_by_hand_that_is_done_goes_with_its_history_after_a_while(adapters: Adapters) -> None:
    by_hand = a_task(run_id=None, playbook=None, step=None)
    open_one = a_task("task-2", account_id="other", run_id=None, playbook=None, step=None)
    said = TaskNote(task_id="task-1", at=START, actor="key:crm", action="commented", text="They called.")
    async with adapters.transactions.begin() as store:
        await store.tasks.open([by_hand, open_one])
        await store.tasks.note([said])
        await store.tasks.write(
            replace(by_hand, status="done", outcome="reached", done_at=START, done_by="ana")
        )
    await PostgresPruning(adapters.engine, DAY).prune(START + 2 * DAY)
    async with adapters.transactions.begin() as store:
        assert await store.tasks.find("task-1") is None
        assert await store.tasks.last_note("task-1") is None
        assert await store.tasks.find("task-2") == open_one


async def test_an_erasure_takes_what_somebody_is_just_saying_along(adapters: Adapters) -> None:
    said = TaskNote(task_id="task-1", at=START, actor="key:crm", action="commented", text="They called.")
    by_hand = a_task(run_id=None, playbook=None, step=None)

    async def erase() -> Mapping[str, int]:
        async with adapters.transactions.begin() as store:
            return await store.erasures.of_accounts({"acme"})

    async with adapters.transactions.begin() as store:
        await store.tasks.open([by_hand])
    async with adapters.transactions.begin() as store:
        assert await store.tasks.lock("task-1") is not None
        erasing = asyncio.create_task(erase())
        await store.tasks.note([said])
    assert (await erasing)["tasks"] == 1
    async with adapters.transactions.begin() as store:
        assert await store.tasks.last_note("task-1") is None
