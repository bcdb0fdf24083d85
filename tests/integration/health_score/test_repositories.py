"""The repositories on PostgreSQL keep their promises, on the schema that the migrations make."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.support.health_score_contracts import CARD, RepositoryContract, Stores, row
from tests.support.postgres import Database

import health_score
from csm_common.database.migrations import migrate
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.intake import PostgresIntake
from health_score.adapters.journal import PostgresJournal
from health_score.adapters.reads import PostgresReads
from health_score.adapters.state_codec import StateCodec


class TestPostgres(RepositoryContract):
    @pytest.fixture
    async def stores(self, database: Database) -> AsyncIterator[Stores]:
        async with database.engine("health_score") as engine:
            await migrate(
                engine, schema="health_score", scripts=Path(health_score.__file__).parent / "migrations"
            )
            async with engine.begin() as tx:
                yield Stores(tx, PostgresAccounts(StateCodec(CARD)), PostgresJournal(), PostgresIntake())

    async def counts(self, stores: Stores) -> dict[int, tuple[int, ...]]:
        found = await stores.tx.execute(text("SELECT * FROM intake"))
        return {partition: tuple(counts) for partition, *counts in found}


async def test_reads_page_through_all_accounts_in_order(database: Database) -> None:
    async with database.engine("health_score") as engine:
        await migrate(
            engine, schema="health_score", scripts=Path(health_score.__file__).parent / "migrations"
        )
        codec = StateCodec(CARD)
        async with engine.begin() as tx:
            await PostgresAccounts(codec).save(tx, [row(f"acct-{n}") for n in range(5)])
        reads = PostgresReads(engine, codec)
        first = await reads.page(after="", band=None, limit=3)
        rest = await reads.page(after=first[-1][0], band=None, limit=3)
        assert [account for account, _ in (*first, *rest)] == [f"acct-{n}" for n in range(5)]
        found = await reads.state("acct-2")
        assert found is not None
        assert found[0].attributes["name"] == "Äcme"
        assert (await reads.stats()).accounts == 5
