"""The fake keeps the ports' contract."""

import pytest
from tests.unit.playbooks.memory import MemoryDatabase, MemoryReads
from tests.unit.playbooks.store_contract import StoreContract, World


class TestMemoryStore(StoreContract):
    """StoreContract on the fake."""

    @pytest.fixture
    def world(self) -> World:
        database = MemoryDatabase()
        return World(database, MemoryReads(database))
