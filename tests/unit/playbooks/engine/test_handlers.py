"""The handlers on the store in memory; the same on PostgreSQL in integration/."""

import pytest
from tests.unit.playbooks.builders import a_definition
from tests.unit.playbooks.engine.calls_behaviour import CallsBehaviour
from tests.unit.playbooks.engine.crossings_behaviour import CrossingsBehaviour
from tests.unit.playbooks.engine.entry_behaviour import EntryBehaviour
from tests.unit.playbooks.engine.mishaps_behaviour import MishapsBehaviour
from tests.unit.playbooks.engine.news_behaviour import NewsBehaviour
from tests.unit.playbooks.engine.service import Service, entered
from tests.unit.playbooks.engine.steps_behaviour import StepsBehaviour
from tests.unit.playbooks.engine.tables import MemoryTables

from csm_common.ids import derived_id
from playbooks.adapters.memory.store import MemoryDatabase


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def service(database: MemoryDatabase) -> Service:
    return Service(database, MemoryTables(database))


class TestCrossings(CrossingsBehaviour):
    """CrossingsBehaviour in memory."""


class TestEntry(EntryBehaviour):
    """EntryBehaviour in memory."""


async def test_nothing_lasts_of_a_batch_that_crashes_before_its_commit(
    service: Service, database: MemoryDatabase
) -> None:
    await service.publish(a_definition())
    database.crash = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        await service.receive(entered("c-1"))
    assert await service.runs() == []
    await service.receive(entered("c-1"))
    assert [run.id for run in await service.runs()] == [derived_id("run", "account_at_risk", 1, "c-1")]


class TestSteps(StepsBehaviour):
    """StepsBehaviour in memory."""


class TestCalls(CallsBehaviour):
    """CallsBehaviour in memory."""


class TestMishaps(MishapsBehaviour):
    """MishapsBehaviour in memory."""


class TestNews(NewsBehaviour):
    """NewsBehaviour in memory."""
