"""PostgreSQL for tests: one server a session, and a database of its own for every test, copied from a prepared one.

The server is the embedded one, or the one CSM_TEST_POSTGRES names by an administrator's DSN. That one must be there for tests
only: the database `csm` and the services' roles are made on it, with made-up passwords.
"""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.support.ports import free_port
from tests.support.servers import restart

from csm_cli.stack.postgres import EmbeddedPostgres
from csm_common.database.bootstrap import DATABASE, SERVICES, prepare_database
from csm_common.database.engine import async_url, service_engine
from csm_common.settings import DatabaseSettings

EXTERNAL = "CSM_TEST_POSTGRES"
PASSWORDS = {service: f"test-{service}" for service in SERVICES}


def pytest_report_header() -> str:
    """Which server the tests use."""
    return f"postgres: {f'the one {EXTERNAL} names' if os.environ.get(EXTERNAL) else 'embedded'}"


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the services' schemas, empty but for the table of API keys."""

    admin_dsn: str

    def dsn(self, service: str) -> str:
        """Where the role `service` (a name of SERVICES) connects."""
        url = make_url(self.admin_dsn).set(username=service, password=PASSWORDS[service])
        return url.render_as_string(hide_password=False)

    def settings(self, service: str) -> DatabaseSettings:
        """The settings `service` runs with."""
        # A busy machine may stall a test for longer than the product allows a frozen owner.
        return DatabaseSettings.model_validate(
            {"dsn": self.dsn(service), "idle_in_transaction_timeout_s": 20.0}
        )

    @asynccontextmanager
    async def engine(self, service: str) -> AsyncIterator[AsyncEngine]:
        """The engine `service` runs on."""
        engine = service_engine(self.settings(service), service)
        try:
            yield engine
        finally:
            await engine.dispose()


class PostgresServer:
    """The session's server. `embedded` is None when it is not ours to restart."""

    def __init__(self, admin_dsn: str, embedded: EmbeddedPostgres | None) -> None:
        self.embedded = embedded
        self._admin_dsn = admin_dsn

    async def prepare(self) -> None:
        """Make the database that all others are copied from."""
        if self.embedded is not None:
            await self._execute("ALTER SYSTEM SET fsync = off")  # no test outlives a power cut
            await self._execute("ALTER SYSTEM SET autovacuum = off")
            await self._execute("SELECT pg_reload_conf()")
        await prepare_database(self._admin_dsn, PASSWORDS)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A fresh database for the length of the block."""
        name = f"test_{uuid4().hex[:12]}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
        try:
            dsn = make_url(self._admin_dsn).set(database=name).render_as_string(hide_password=False)
            yield Database(dsn)
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        """End the server and start it again, over a database that stays; skips the test where the server is not ours."""
        if self.embedded is None:
            pytest.skip(f"the server {EXTERNAL} names is not ours to restart")
        restart(self.embedded)

    async def _execute(self, statement: str) -> None:
        engine = create_async_engine(async_url(self._admin_dsn), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()


@asynccontextmanager
async def running_server() -> AsyncIterator[PostgresServer]:
    """The server of this session, prepared."""
    if external := os.environ.get(EXTERNAL):
        server = PostgresServer(external, None)
        await server.prepare()
        yield server
        return
    with (
        tempfile.TemporaryDirectory(prefix="csm-test-postgres-", ignore_cleanup_errors=True) as home,
        EmbeddedPostgres(Path(home), free_port()) as embedded,
    ):
        server = PostgresServer(embedded.dsn(), embedded)
        await server.prepare()
        yield server


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """The session's PostgreSQL; `async with postgres.database() as database` makes a database for a wider scope."""
    async with running_server() as server:
        yield server


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A fresh database for one test."""
    async with postgres.database() as fresh:
        yield fresh


async def blocked(engine: AsyncEngine) -> None:
    """Until a session of this database waits for a lock of another one."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with engine.connect() as connection:
        while not await connection.scalar(waiting):
            await connection.rollback()
