"""The feed and histories on PostgreSQL keep their promises."""

from dataclasses import asdict

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.health_score.told.conftest import Told as Telling
from tests.support.health_score_telling import FeedContract, HistoriesContract, change

from health_score.adapters.changes import PostgresFeed
from health_score.adapters.histories import PostgresHistories
from health_score.adapters.history import encode_detail
from health_score.application.explaining_ports import Change, Told

_ROW = text("""
INSERT INTO history (account_id, revision, known_at, event_at, cause, fact_ids, scorecard, version, score, computed, band,
    band_before, score_before, coverage, detail)
VALUES (:account_id, :revision, :known_at, :event_at, :cause, :fact_ids, :scorecard, :version, :score, :computed, :band,
    :band_before, :score_before, :coverage, :detail)
""")


async def write(tx: AsyncConnection, row: Change, detail: bytes = b"") -> None:
    await tx.execute(_ROW, {**asdict(row), "detail": detail})


class Writer:
    """Transactions side by side."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.reads = PostgresFeed(engine)
        self._engine = engine
        self._open: dict[int, AsyncConnection] = {}

    async def begin(self) -> int:
        connection = await self._engine.connect()
        xact = await connection.scalar(text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)"))
        self._open[int(xact)] = connection
        return int(xact)

    async def tell(self, xact: int, account: str, revision: int) -> None:
        await write(self._open[xact], change(account, revision))

    async def commit(self, xact: int) -> None:
        connection = self._open.pop(xact)
        await connection.commit()
        await connection.close()


class TestFeed(FeedContract):
    @pytest.fixture
    def writing(self, told: Telling) -> Writer:
        return Writer(told.world.engine)


class Remembered:
    """Writes rows of the table."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.reads = PostgresHistories(engine)
        self._engine = engine

    async def remember(self, *changes: Told) -> None:
        async with self._engine.begin() as tx:
            for each in changes:
                await write(tx, each.change, encode_detail(each.assessment))


class TestHistories(HistoriesContract):
    @pytest.fixture
    def remembering(self, told: Telling) -> Remembered:
        return Remembered(told.world.engine)
