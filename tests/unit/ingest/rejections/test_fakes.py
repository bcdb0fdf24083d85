"""The lists over the table in memory keep the contract of the real ones."""

import pytest
from tests.support.clock import START
from tests.unit.ingest.memory_store import MemoryRejections
from tests.unit.ingest.rejections.fakes import MemoryRejectionReads
from tests.unit.ingest.rejections.lists_contract import ListsContract

from ingest.application.ports import Rejection


class MemoryLists:
    """The lists, and the table behind them."""

    def __init__(self) -> None:
        self._table = MemoryRejections()
        self.reads = MemoryRejectionReads(self._table)

    async def keep(self, *rejections: Rejection) -> None:
        """Add them."""
        await self._table.add(rejections)

    async def replayed(self, *ids: str) -> None:
        """They were taken after all."""
        await self._table.replayed(ids, START)


class TestMemoryLists(ListsContract):
    @pytest.fixture
    def lists(self) -> MemoryLists:
        return MemoryLists()
