"""The table of imports in memory keeps the contract of the real one."""

import pytest
from tests.unit.ingest.imports.fakes import MemoryJobs
from tests.unit.ingest.imports.jobs_contract import JobsContract


class TestMemoryJobs(JobsContract):
    @pytest.fixture
    def jobs(self) -> MemoryJobs:
        return MemoryJobs()
