"""Who may do what in the database: roles keep to their own schema, and keys are made by an administrator alone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import PASSWORDS, Database

from csm_common.clock import SystemClock
from csm_common.database.bootstrap import DATABASE, SERVICES, prepare_database
from csm_common.database.engine import create_engine
from csm_common.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from csm_common.web.auth import Authenticator
from csm_common.web.keys import KeyStore
from csm_common.web.rows import Rows


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[AsyncEngine]:
    """The administrator's engine."""
    engine = create_engine(database.admin_dsn)
    try:
        yield engine
    finally:
        await engine.dispose()


async def test_a_service_makes_tables_in_its_own_schema_and_reads_no_other(database: Database) -> None:
    for service in SERVICES:
        async with database.engine(service) as engine, engine.begin() as tx:
            await tx.execute(text("CREATE TABLE mine (name text)"))
            assert await tx.scalar(text("SELECT current_schema()")) == service
    async with database.engine("ingest") as engine:
        for statement in ("SELECT * FROM notifier.mine", "CREATE TABLE notifier.theirs (name text)"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await execute(engine, statement)


async def execute(engine: AsyncEngine, statement: str) -> None:
    """Run one statement."""
    async with engine.begin() as tx:
        await tx.execute(text(statement))


async def test_preparing_a_prepared_database_is_harmless(database: Database) -> None:
    inside = await prepare_database(database.admin_dsn, PASSWORDS)
    assert make_url(inside).database == DATABASE
    for service in SERVICES:
        async with database.engine(service) as engine:
            await execute(engine, "SELECT count(*) FROM access.api_keys")


async def test_a_key_works_until_it_is_revoked(database: Database, admin: AsyncEngine) -> None:
    store = KeyStore(admin)
    token = await store.create(name="backend", scopes=["events:write"])
    async with database.engine("ingest") as engine:
        principal = await Authenticator(KeyStore(engine), SystemClock()).check(token, "events:write")
        assert principal.scopes == frozenset({"events:write"})

        await store.revoke(principal.key_id)
        with pytest.raises(UnauthenticatedError):
            await Authenticator(KeyStore(engine), SystemClock()).check(token, "events:write")
    [info] = await store.list()
    assert info.revoked_at is not None


async def test_an_expired_key_is_refused(admin: AsyncEngine) -> None:
    past = SystemClock().now() - timedelta(seconds=1)
    token = await KeyStore(admin).create(name="old", scopes=["*"], expires_at=past)
    with pytest.raises(UnauthenticatedError):
        await Authenticator(KeyStore(admin), SystemClock()).check(token, "events:write")


async def test_the_table_holds_no_secret(admin: AsyncEngine) -> None:
    token = await KeyStore(admin).create(name="backend", scopes=["*"])
    async with admin.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM access.api_keys"))).one()
    assert token.rpartition("_")[2] not in str(tuple(row))


async def test_a_service_cannot_make_keys(database: Database) -> None:
    async with database.engine("ingest") as engine:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await KeyStore(engine).create(name="mine", scopes=["*"])


async def test_what_there_is_not_is_named(admin: AsyncEngine) -> None:
    with pytest.raises(InvalidError, match="'events:eat'"):
        await KeyStore(admin).create(name="x", scopes=["events:write", "events:eat"])
    with pytest.raises(NotFoundError, match="'nobody'"):
        await KeyStore(admin).revoke("nobody")
    assert await KeyStore(admin).load("nobody") is None


async def test_a_key_tells_whose_accounts_it_may_see_and_such_a_one_reads_accounts_alone(
    database: Database, admin: AsyncEngine
) -> None:
    store = KeyStore(admin)
    token = await store.create(name="crm", scopes=["health:read"], rows="team:emea")
    async with database.engine("health_score") as engine:
        authenticator = Authenticator(KeyStore(engine), SystemClock())
        assert (await authenticator.check(token, "health:read", limited=True)).rows == Rows(team="emea")
        with pytest.raises(ForbiddenError, match="team:emea"):
            await authenticator.check(token, "health:read")
    assert [each.rows for each in await store.list()] == ["team:emea"]
    for scopes, rows, told in (
        (["health:read", "events:write"], "owner:dana", "health:read alone"),
        (["*"], "team:emea", "health:read alone"),
        (["health:read"], "theirs", "team:NAME"),
    ):
        with pytest.raises(InvalidError, match=told):
            await store.create(name="x", scopes=scopes, rows=rows)
