"""The fakes of the feed and of histories keep the promises of the real ones."""

import pytest
from tests.support.health_score_telling import FeedContract, HistoriesContract
from tests.unit.health_score.telling.feed import MemoryFeed
from tests.unit.health_score.telling.histories import MemoryHistories

from health_score.application.explaining_ports import Told


class InMemory:
    """Writes into a feed in memory."""

    def __init__(self) -> None:
        self.reads = MemoryFeed()

    async def begin(self) -> int:
        return self.reads.begin()

    async def tell(self, xact: int, account: str, revision: int) -> None:
        self.reads.tell(xact, account, revision)

    async def commit(self, xact: int) -> None:
        self.reads.commit(xact)


class TestFeed(FeedContract):
    @pytest.fixture
    def writing(self) -> InMemory:
        return InMemory()


class Remembered:
    """Keeps in memory."""

    def __init__(self) -> None:
        self.reads = MemoryHistories()

    async def remember(self, *changes: Told) -> None:
        self.reads.told += changes


class TestHistories(HistoriesContract):
    @pytest.fixture
    def remembering(self) -> Remembered:
        return Remembered()
