"""What is read from the store in memory keeps the contract."""

import pytest
from tests.unit.playbooks.contracts.reads import ReadsContract
from tests.unit.playbooks.runs.scenes import Scene


class TestMemoryReads(ReadsContract):
    """ReadsContract in memory."""

    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()
