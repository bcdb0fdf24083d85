"""The tables of sources in memory keep the contract of the real ones."""

import pytest
from tests.unit.ingest.sources.fakes import MemorySources
from tests.unit.ingest.sources.sources_contract import SourcesContract


class TestMemorySources(SourcesContract):
    @pytest.fixture
    def sources(self) -> MemorySources:
        return MemorySources()
