"""The notifier's schema on PostgreSQL: migrated once a module, emptied for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import PostgresServer

import notifier
from csm_common.database.migrations import migrate
from notifier.adapters.work import work_on
from notifier.app import SCHEMA
from notifier.application.ports import OpenWork


@pytest.fixture(scope="module")
async def migrated(postgres: PostgresServer) -> AsyncIterator[AsyncEngine]:
    """The service's engine on a migrated schema."""
    async with postgres.database() as database, database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=Path(notifier.__path__[0]) / "migrations")
        yield engine


@pytest.fixture
async def engine(migrated: AsyncEngine) -> AsyncEngine:
    """The same with empty tables."""
    async with migrated.begin() as tx:
        await tx.execute(text("TRUNCATE contacts, notifications, attempts, erasures, outbox, positions"))
    return migrated


@pytest.fixture
def open_work(engine: AsyncEngine) -> OpenWork:
    """Transactions on it."""
    return work_on(engine)
