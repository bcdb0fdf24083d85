"""The notifier's schema on PostgreSQL: migrated once a module, emptied for every test."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import PostgresServer

from csm_common.database.migrations import migrate
from notifier.adapters.work import work_on
from notifier.app import MIGRATIONS, SCHEMA
from notifier.application.ports import OpenWork

# What the migrations have put in stays: keys, and the generation of templates.
_TABLES = text("""
SELECT tablename FROM pg_tables
WHERE schemaname = current_schema() AND tablename NOT IN ('alembic_version', 'keys', 'template_generation')
""")


@pytest.fixture(scope="module")
async def migrated(postgres: PostgresServer) -> AsyncIterator[AsyncEngine]:
    """The service's engine on a migrated schema."""
    async with postgres.database() as database, database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=MIGRATIONS)
        yield engine


@pytest.fixture
async def engine(migrated: AsyncEngine) -> AsyncEngine:
    """The same with empty tables."""
    async with migrated.begin() as tx:
        tables = ", ".join(await tx.scalars(_TABLES))
        await tx.execute(text(f"TRUNCATE {tables}"))
    return migrated


@pytest.fixture
def open_work(engine: AsyncEngine) -> OpenWork:
    """Transactions on it."""
    return work_on(engine)
