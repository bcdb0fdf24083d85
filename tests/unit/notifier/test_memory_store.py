"""The store of the unit tests keeps to the contract that PostgreSQL keeps to."""

import pytest
from tests.unit.notifier.fakes import MemoryStore
from tests.unit.notifier.work_contract import WorkContract

from notifier.application.ports import OpenWork


class TestMemoryStore(WorkContract):
    @pytest.fixture
    def open_work(self) -> OpenWork:
        return MemoryStore().open
