"""What is known of sources on PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.support.clock import START
from tests.support.ports import free_port
from tests.unit.ingest.rejections.lists_contract import a_rejection
from tests.unit.ingest.sources.sources_contract import SourcesContract, a_minute, a_violation

from csm_common.errors import TransientError
from ingest.adapters.postgres.rejections import PostgresRejections
from ingest.adapters.postgres.sources import PostgresSources


class TestPostgresSources(SourcesContract):
    @pytest.fixture
    def sources(self, engine: AsyncEngine) -> PostgresSources:
        return PostgresSources(engine)


async def test_replicas_that_write_at_the_same_time_neither_lose_counts_nor_lock_each_other_out(
    engine: AsyncEngine,
) -> None:
    names = [f"source-{number}" for number in range(50)]

    async def replica(order: list[str]) -> None:
        await PostgresSources(engine).add(
            [a_minute(name, accepted=1) for name in order],
            [a_violation(source=name) for name in order],
        )

    await asyncio.gather(*(replica(names if number % 2 else names[::-1]) for number in range(20)))

    sources = PostgresSources(engine)
    found = await sources.page(START, after="", limit=200)
    assert [each.last_24h.accepted for each in found] == [20] * 50
    assert [each.times for each in await sources.violations("source-7", before=None, limit=9)] == [20]


async def test_open_rejections_are_counted_once_they_are_listed(engine: AsyncEngine) -> None:
    sources = PostgresSources(engine)
    await sources.add([a_minute()], [])
    async with engine.begin() as tx:
        await PostgresRejections(tx).add(
            [
                a_rejection("a"),
                a_rejection("b"),
                a_rejection("c", source="app"),
                a_rejection("d", listed_from=START + timedelta(hours=1)),
            ]
        )
        await PostgresRejections(tx).replayed([a_rejection("b").id], START)

    found = await sources.figures("crm", START)

    assert found is not None
    assert found.open_rejections == 1


async def test_a_database_that_is_away_is_told() -> None:
    engine = create_async_engine(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")

    with pytest.raises(TransientError) as told:
        await PostgresSources(engine).page(START, after="", limit=1)
    assert told.value.code == "database_unavailable"
    await engine.dispose()
