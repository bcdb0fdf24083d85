"""The service's tables on PostgreSQL: the contract, and dropping what is too old."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START
from tests.unit.ingest.rejections.lists_contract import a_rejection
from tests.unit.ingest.store_contract import ACME, FIRST, StoreContract, claimed, keep, key, names, waiting

from csm_common.database.engine import create_engine
from csm_common.errors import TransientError
from ingest.adapters.postgres.pruning import PostgresPruning
from ingest.adapters.postgres.store import PostgresStore
from ingest.application.replays import Selection

DAY = timedelta(days=1)


@pytest.fixture
def store(engine: AsyncEngine) -> PostgresStore:
    return PostgresStore(engine)


class TestPostgresStore(StoreContract):
    """On the schema that the migrations make."""


async def test_the_outbox_holds_what_was_committed_only(store: PostgresStore, engine: AsyncEngine) -> None:
    await TestPostgresStore().test_what_fails_is_undone_as_a_whole(store)

    async with engine.begin() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM outbox")) == 0


async def test_two_who_try_again_at_once_do_not_get_the_same(store: PostgresStore) -> None:
    await keep(store, *(a_rejection(name) for name in "abc"))

    async with store.begin() as work:
        one = await work.rejections.claim(Selection(), FIRST, START + DAY, 2)
        other = await claimed(store)

    assert sorted(map(str, names([*one, *other]))) == ["a", "b", "c"]


async def test_a_database_that_is_away_is_told_as_such() -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(TransientError) as caught:
        async with PostgresStore(engine).begin():
            pass

    assert caught.value.code == "database_unavailable"
    await engine.dispose()


@pytest.fixture
def pruning(engine: AsyncEngine) -> PostgresPruning:
    return PostgresPruning(engine, decisions_kept=7 * DAY, rejections_kept=90 * DAY, chunk=2)


async def test_decisions_are_kept_as_long_as_messages_are_sent_again(
    store: PostgresStore, pruning: PostgresPruning
) -> None:
    async with store.begin() as work:
        await work.people.decide({key(name): ACME for name in "abcde"}, START)
        await work.people.decide({key("late"): ACME}, START + DAY)

    await pruning.prune(START + 7 * DAY)
    async with store.begin() as work:
        assert len(await work.people.decisions([key("a"), key("late")])) == 2

    await pruning.prune(START + 7 * DAY + timedelta(seconds=1))
    async with store.begin() as work:
        assert list(await work.people.decisions([key(name) for name in [*"abcde", "late"]])) == [key("late")]


async def test_rejections_that_nobody_cared_for_are_dropped(
    store: PostgresStore, pruning: PostgresPruning
) -> None:
    old = [waiting("a", "kim"), *(a_rejection(name) for name in "bcde")]
    await keep(store, *old, a_rejection("late", START + DAY))
    await keep(store, a_rejection("b", START + 2 * DAY))

    await pruning.prune(START + 90 * DAY + timedelta(seconds=1))

    assert set(names(await claimed(store))) == {"b", "late"}
