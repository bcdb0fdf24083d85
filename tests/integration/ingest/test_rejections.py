"""The lists of rejections on PostgreSQL, over the table that the service writes."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START
from tests.unit.ingest.rejections.lists_contract import ListsContract

from ingest.adapters.postgres.rejection_lists import PostgresRejectionLists
from ingest.adapters.postgres.rejections import PostgresRejections
from ingest.application.ports import Rejection


class PostgresLists:
    """The lists, and the table behind them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.reads = PostgresRejectionLists(engine)

    async def keep(self, *rejections: Rejection) -> None:
        """Add them, in one transaction."""
        async with self._engine.begin() as tx:
            await PostgresRejections(tx).add(rejections)

    async def replayed(self, *ids: str) -> None:
        """They were taken after all."""
        async with self._engine.begin() as tx:
            await PostgresRejections(tx).replayed(ids, START)


class TestPostgresLists(ListsContract):
    @pytest.fixture
    def lists(self, engine: AsyncEngine) -> PostgresLists:
        return PostgresLists(engine)
