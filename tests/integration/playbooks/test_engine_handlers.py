"""The handlers on PostgreSQL behave as they do in memory."""

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.unit.playbooks.engine.calls_behaviour import CallsBehaviour
from tests.unit.playbooks.engine.crossings_behaviour import CrossingsBehaviour
from tests.unit.playbooks.engine.entry_behaviour import EntryBehaviour
from tests.unit.playbooks.engine.mishaps_behaviour import MishapsBehaviour
from tests.unit.playbooks.engine.news_behaviour import NewsBehaviour
from tests.unit.playbooks.engine.service import Service
from tests.unit.playbooks.engine.steps_behaviour import StepsBehaviour
from tests.unit.playbooks.engine.tables import PostgresTables


@pytest.fixture
def service(adapters: Adapters) -> Service:
    return Service(adapters.transactions, PostgresTables(adapters.engine))


class TestCrossings(CrossingsBehaviour):
    """CrossingsBehaviour on PostgreSQL."""


class TestEntry(EntryBehaviour):
    """EntryBehaviour on PostgreSQL."""


class TestSteps(StepsBehaviour):
    """StepsBehaviour on PostgreSQL."""


class TestCalls(CallsBehaviour):
    """CallsBehaviour on PostgreSQL."""


class TestMishaps(MishapsBehaviour):
    """MishapsBehaviour on PostgreSQL."""


class TestNews(NewsBehaviour):
    """NewsBehaviour on PostgreSQL."""
