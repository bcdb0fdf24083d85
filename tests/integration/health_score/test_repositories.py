"""The repositories on PostgreSQL keep their promises, on the schema that the migrations make."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.health_score import EPOCH
from tests.support.health_score_contracts import (
    CARD,
    PARTITION,
    POSITION,
    RepositoryContract,
    Stores,
    life,
    lived,
    row,
)
from tests.support.postgres import Database

import health_score
from csm_common.database.migrations import migrate
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.history import PostgresHistory, decode_detail
from health_score.adapters.intake import PostgresIntake
from health_score.adapters.journal import PostgresJournal
from health_score.adapters.models import PostgresModels
from health_score.adapters.reads import PostgresReads
from health_score.adapters.state_codec import StateCodec
from health_score.application.model_ports import ChangeKind, ModelChange, StoredCard
from health_score.domain.account import AccountState

CODEC = StateCodec(lambda: CARD.signals)

_CHANGE = text("""
INSERT INTO model_changes (kind, name, version, since, actor, note, outreach, at)
VALUES (:kind, :name, :version, :since, 'tests', '', :outreach, :at)
RETURNING number, kind, name, version, since, actor, note, outreach, at
""")

_STAND = text("""
INSERT INTO positions (consumer, topic, partition, next_offset, epoch, owner, log_id)
VALUES ('health-score', 'customer.events.v1', :partition, :position, 1, 'tests', 'log')
""")


async def migrated(engine: AsyncEngine) -> None:
    scripts = Path(health_score.__file__).parent / "migrations"
    await migrate(engine, schema="health_score", scripts=scripts)


class TestPostgres(RepositoryContract):
    @pytest.fixture
    async def stores(self, database: Database) -> AsyncIterator[Stores]:
        async with database.engine("health_score") as engine:
            await migrated(engine)
            async with engine.begin() as tx:
                yield Stores(
                    tx,
                    PostgresAccounts(CODEC),
                    PostgresHistory(),
                    PostgresModels(CODEC),
                    PostgresJournal(),
                    PostgresIntake(),
                )

    async def counts(self, stores: Stores) -> dict[int, tuple[int, ...]]:
        found = await stores.tx.execute(text("SELECT * FROM intake"))
        return {partition: tuple(counts) for partition, *counts in found}

    async def told(self, stores: Stores) -> list[tuple[str, int]]:
        found = await stores.tx.execute(text("SELECT account_id, revision FROM history ORDER BY 1, 2"))
        return [(account, revision) for account, revision in found]

    async def crossed(self, stores: Stores) -> list[str]:
        found = await stores.tx.execute(text("SELECT id FROM crossings ORDER BY id"))
        return [str(each) for each in found.scalars()]

    async def change(self, stores: Stores, kind: ChangeKind, name: str, **more: Any) -> ModelChange:
        common = {"version": None, "since": None, "outreach": False, "at": EPOCH}
        told = common | more | {"kind": kind, "name": name}
        return ModelChange(**(await stores.tx.execute(_CHANGE, told)).one()._mapping)

    async def store(self, stores: Stores, cards: Iterable[StoredCard]) -> None:
        for each in cards:
            names = ("name", "version", "document", "author", "note", "created_at")
            await stores.tx.execute(
                text(
                    "INSERT INTO scorecards VALUES (:name, :version, :document, :author, :note, :created_at)"
                ),
                {name: getattr(each, name) for name in names},
            )

    async def stand(self, stores: Stores) -> None:
        await stores.tx.execute(_STAND, {"partition": PARTITION, "position": POSITION})

    async def refold(self, stores: Stores, model: int, states: Iterable[AccountState]) -> None:
        place = {"partition": PARTITION, "model": model}
        for each in states:
            await stores.tx.execute(
                text("INSERT INTO refolded VALUES (:account, :model, :partition, :state)"),
                place | {"account": each.account_id, "state": CODEC.encode(each)},
            )
        await stores.tx.execute(
            text("UPDATE refolds SET done_at = now() WHERE partition = :partition AND model = :model"), place
        )

    async def test_the_whole_assessment_of_a_change_comes_back(self, stores: Stores) -> None:
        told = life("a").told
        await stores.history.add(stores.tx, told, [])
        stored = await stores.tx.scalar(text("SELECT detail FROM history"))
        assert decode_detail(stored) == told[0].assessment

    async def test_a_measure_without_data_can_be_looked_for(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a")])
        assessed = lived("a").last
        assert assessed is not None
        missing = {name for name, value in assessed.values.items() if value is None}
        for name in assessed.values:
            query = text("SELECT count(*) FROM accounts WHERE missing LIKE :name")
            assert await stores.tx.scalar(query, {"name": f"% {name} %"}) == (name in missing)

    async def test_a_row_without_a_new_snapshot_keeps_the_known_one(self, stores: Stores) -> None:
        known = row("a")
        await stores.accounts.save(stores.tx, [known])
        await stores.accounts.save(stores.tx, [type(known)(known.state, 0, None, None)])
        assert await stores.tx.scalar(text("SELECT snapshot FROM accounts")) == known.snapshot


async def test_reads_give_a_state_and_the_counts(database: Database) -> None:
    async with database.engine("health_score") as engine:
        await migrated(engine)
        async with engine.begin() as tx:
            await PostgresAccounts(CODEC).save(tx, [row(f"acct-{n}") for n in range(5)])
        reads = PostgresReads(engine, CODEC)
        found = await reads.state("acct-2")
        assert found is not None
        assert found.attributes["name"] == "Äcme"
        assert (await reads.stats()).accounts == 5
