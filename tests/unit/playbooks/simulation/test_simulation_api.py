"""The HTTP door to simulations over the store in memory."""

import pytest
from tests.unit.playbooks.contracts.past import PastContract
from tests.unit.playbooks.contracts.simulation_http import Service, SimulationHttpContract

from playbooks.adapters.memory.past import MemoryPast
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.adapters.memory.tables import Table


@pytest.fixture
def transactions() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def past(transactions: MemoryDatabase) -> MemoryPast:
    return MemoryPast(transactions.state)


class TestMemoryPast(PastContract):
    """PastContract in memory."""


class TestSimulationApi(SimulationHttpContract):
    """SimulationHttpContract in memory."""

    @pytest.fixture
    def service(self, transactions: MemoryDatabase) -> Service:
        state = transactions.state

        async def counts() -> dict[str, int]:
            return {name: len(table) for name, table in vars(state).items() if isinstance(table, Table)}

        return Service(transactions, MemoryReads(state), MemoryPast(state), counts)
