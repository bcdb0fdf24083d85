"""PostgreSQL keeps the contracts of tasks, approvals and audit; and turns are right when two ask at once."""

import asyncio

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.unit.playbooks.contracts.approvals import ApprovalsContract
from tests.unit.playbooks.contracts.audit import AuditContract
from tests.unit.playbooks.contracts.tasks import IN_TURN, TasksContract

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
