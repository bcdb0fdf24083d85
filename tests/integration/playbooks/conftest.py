"""Playbooks' schema on PostgreSQL: migrated once a module, emptied for every test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import PostgresServer

from csm_common.database.migrations import migrate
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.reads import PostgresReads
from playbooks.adapters.postgres.store import PostgresTransactions
from playbooks.app import MIGRATIONS, SCHEMA

TABLES = (
    "playbooks, switches, accounts, crossings, runs, run_steps, entries, trials, tasks, task_notes, rotations, approvals, audit,"
    " hands, freshness, outbox, positions"
)


@dataclass(frozen=True, slots=True)
class Adapters:
    """The PostgreSQL side of the ports."""

    engine: AsyncEngine
    transactions: PostgresTransactions
    reads: PostgresReads


def adapters_on(engine: AsyncEngine) -> Adapters:
    """The ports on an engine, as a process that has just been started has them: nothing is cached."""
    cache = PlaybookCache()
    return Adapters(engine, PostgresTransactions(engine, cache), PostgresReads(engine, cache))


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
        await tx.execute(text(f"TRUNCATE {TABLES}"))
    return migrated


@pytest.fixture
def adapters(engine: AsyncEngine) -> Adapters:
    """The ports on it."""
    return adapters_on(engine)
