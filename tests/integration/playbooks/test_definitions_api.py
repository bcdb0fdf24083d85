"""PostgreSQL keeps playbooks and switches as their contracts say, and people manage them over REST."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks.conftest import Adapters
from tests.unit.playbooks.contracts.managing import Audited, Client, ManagingContract, a_client
from tests.unit.playbooks.contracts.playbooks import PlaybooksContract
from tests.unit.playbooks.contracts.switches import SwitchesContract

from playbooks.adapters.postgres.management import PostgresManagements
from playbooks.application.ports import Transactions


@pytest.fixture
def transactions(adapters: Adapters) -> Transactions:
    return adapters.transactions


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[Client]:
    async with a_client(PostgresManagements(engine)) as client:
        yield client


@pytest.fixture
def audited(engine: AsyncEngine) -> Audited:
    async def read() -> list[tuple[str, str, str]]:
        async with engine.begin() as tx:
            rows = await tx.execute(text("SELECT actor, action, subject FROM audit ORDER BY id"))
            return [(row.actor, row.action, row.subject) for row in rows]

    return read


class TestPlaybooks(PlaybooksContract):
    """PlaybooksContract on PostgreSQL."""


class TestSwitches(SwitchesContract):
    """SwitchesContract on PostgreSQL."""


class TestManaging(ManagingContract):
    """ManagingContract on PostgreSQL."""
