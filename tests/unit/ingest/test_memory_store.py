"""The tables in memory keep the contract of the real ones."""

import pytest
from tests.unit.ingest.memory_store import MemoryStore
from tests.unit.ingest.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
