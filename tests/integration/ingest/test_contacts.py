"""The table of contacts on PostgreSQL, on the schema that the migrations make."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START
from tests.support.postgres import Database
from tests.unit.ingest.contacts_contract import LATER, ContactsContract, change, known

import ingest
from csm_common.database.migrations import migrate
from ingest.adapters.postgres.contacts import PostgresContacts


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """The service's engine on a migrated schema."""
    async with database.engine("ingest") as engine:
        await migrate(engine, schema="ingest", scripts=Path(ingest.__path__[0]) / "migrations")
        yield engine


class TestPostgresContacts(ContactsContract):
    @pytest.fixture
    async def contacts(self, engine: AsyncEngine) -> AsyncIterator[PostgresContacts]:
        async with engine.begin() as tx:
            yield PostgresContacts(tx)


async def test_two_who_tell_of_the_same_contact_at_once_lose_nothing(engine: AsyncEngine) -> None:
    async def tell(number: int) -> None:
        async with engine.begin() as tx:
            await PostgresContacts(tx).merge([change(START, consents={f"c{number}": True})])

    await asyncio.gather(*(tell(number) for number in range(5)))
    async with engine.begin() as tx:
        (contact,) = await PostgresContacts(tx).merge([change(LATER, role="user")])
    assert contact == known(LATER, role="user", consents={f"c{number}": True for number in range(5)})


async def test_a_name_that_can_be_no_contact_takes_none_over(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        contacts = PostgresContacts(tx)
        await contacts.merge([change(START, role="user")])
        assert list(await contacts.move({"kim": "a/b"})) == []
        assert await contacts.merge([change(START)]) == [known(START, role="user")]
