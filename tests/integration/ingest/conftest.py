"""Ingest's schema on PostgreSQL: migrated once a module, emptied for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import PostgresServer

import ingest
from csm_common.database.migrations import migrate

SCHEMA = "ingest"

_EMPTY = """
DO $$ DECLARE tables text; BEGIN
    SELECT string_agg(format('%I', tablename), ', ') INTO tables
    FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'alembic_version';
    EXECUTE 'TRUNCATE ' || tables;
END $$
"""


@pytest.fixture(scope="module")
async def migrated(postgres: PostgresServer) -> AsyncIterator[AsyncEngine]:
    """The service's engine on a migrated schema."""
    async with postgres.database() as database, database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=Path(ingest.__path__[0]) / "migrations")
        yield engine


@pytest.fixture
async def engine(migrated: AsyncEngine) -> AsyncEngine:
    """The same with empty tables."""
    async with migrated.begin() as tx:
        await tx.execute(text(_EMPTY))
    return migrated
