"""People manage playbooks over REST: the contract on the store in memory, and differences."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.playbooks.contracts.managing import Audited, Client, ManagingContract, a_client
from tests.unit.playbooks.definitions.memory_management import MemoryManagements

from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.managing_diff import difference
from playbooks.application.ports import Transactions


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def transactions(database: MemoryDatabase) -> Transactions:
    return database


@pytest.fixture
async def client(database: MemoryDatabase) -> AsyncIterator[Client]:
    async with a_client(MemoryManagements(database)) as client:
        yield client


@pytest.fixture
def audited(database: MemoryDatabase) -> Audited:
    async def read() -> list[tuple[str, str, str]]:
        return [
            (each.actor, each.action, each.subject)
            for _, each in sorted(database.state.audit.items(), key=lambda item: item[0])
        ]

    return read


class TestManaging(ManagingContract):
    """ManagingContract in memory."""


def test_steps_are_compared_by_their_names_wherever_they_stand() -> None:
    before = {
        "steps": [
            {"name": "a", "wait": "1d"},
            {"name": "b", "wait": "1d"},
            {"name": "c", "end": {"reason": "x"}},
        ]
    }
    after = {
        "steps": [
            {"name": "b", "wait": {"time": "09:00"}},
            {"name": "a", "wait": "1d"},
            {"name": "d", "wait": "1d"},
        ]
    }
    assert difference(before, after).text.splitlines() == [
        "~ steps.b.wait: 1d → {time: 09:00}",
        "- steps.c: {name: c, end: {reason: x}}",
        "+ steps.d: {name: d, wait: 1d}",
        "~ steps (order): [a, b] → [b, a]",
    ]


def test_values_are_told_as_in_the_file() -> None:
    before = {"priority": 1, "exit_when": {"left": ["x"]}, "share": 0.5}
    after = {"sales": True, "exit_when": {"left": ["x", "y"]}, "share": 0.25, "none": None}
    assert difference(before, after).text.splitlines() == [
        "- priority: 1",
        "~ exit_when.left: [x] → [x, y]",
        "~ share: 0.5 → 0.25",
        "+ sales: true",
        "+ none: null",
    ]
