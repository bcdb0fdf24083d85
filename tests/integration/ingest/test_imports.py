"""The table of imports on PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.unit.ingest.imports.jobs_contract import JobsContract, a_job

from csm_common.errors import ConflictError
from ingest.adapters.postgres.imports import PostgresImports


class TestPostgresImports(JobsContract):
    @pytest.fixture
    def jobs(self, engine: AsyncEngine) -> PostgresImports:
        return PostgresImports(engine)


async def test_of_imports_that_begin_together_under_one_id_one_begins(engine: AsyncEngine) -> None:
    jobs = PostgresImports(engine)

    async def begin(number: int) -> bool:
        try:
            await jobs.begin(a_job(begun=timedelta(milliseconds=number)))
        except ConflictError:
            return False
        return True

    assert sum(await asyncio.gather(*(begin(number) for number in range(10)))) == 1
