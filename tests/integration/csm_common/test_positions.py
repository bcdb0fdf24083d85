"""Positions: claimed by raising the epoch, written only under the claimed one."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import blocked

from csm_common.database import positions
from csm_common.database.positions import Advance, Claim, LogStart

HERE, THERE = ("events", 0), ("events", 1)


async def claim(
    engine: AsyncEngine, owner: str, *partitions: tuple[str, int], offset: int = 0
) -> dict[tuple[str, int], Claim]:
    """Claim partitions of the log `log-1` for `owner`."""
    async with engine.begin() as tx:
        return await positions.claim(
            tx, "reader", owner, {each: LogStart("log-1", offset) for each in partitions}
        )


async def advance(engine: AsyncEngine, epoch: int, to: int) -> None:
    """Move HERE on as the owner of that epoch does; AssertionError when it is fenced."""
    async with engine.begin() as tx:
        assert await positions.lock(tx, "reader", {HERE: epoch}), "fenced"
        await positions.advance(tx, "reader", {HERE: Advance(to, records=5, dead_letters=1)})


async def test_a_partition_never_seen_begins_at_the_start_of_its_log(engine: AsyncEngine) -> None:
    assert await claim(engine, "a", HERE, offset=7) == {HERE: Claim(7, 1, "log-1")}


async def test_a_claim_goes_on_where_the_last_owner_stopped_under_a_higher_epoch(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE, THERE)
    await advance(engine, epoch=1, to=42)
    assert await claim(engine, "b", HERE, THERE) == {HERE: Claim(42, 2, "log-1"), THERE: Claim(0, 2, "log-1")}


async def test_the_former_owner_is_fenced(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE, THERE)
    await claim(engine, "b", HERE)
    async with engine.begin() as tx:
        assert await positions.lock(tx, "reader", {HERE: 1, THERE: 1}) == {THERE: 0}
    with pytest.raises(AssertionError, match="fenced"):
        await advance(engine, epoch=1, to=99)
    await advance(engine, epoch=2, to=5)


async def test_consumers_do_not_see_each_other_s_positions(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE)
    async with engine.begin() as tx:
        assert await positions.lock(tx, "another reader", {HERE: 1}) == {}


async def test_a_claim_waits_for_the_transaction_in_flight(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE)
    async with engine.begin() as tx:
        await positions.lock(tx, "reader", {HERE: 1})
        taking_over = asyncio.create_task(claim(engine, "b", HERE))
        await blocked(engine)
        assert not taking_over.done()
        await positions.advance(tx, "reader", {HERE: Advance(10, 10, 0)})
    assert await taking_over == {HERE: Claim(10, 2, "log-1")}


async def test_it_counts_records_and_dead_letters(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE)
    await advance(engine, epoch=1, to=5)
    await advance(engine, epoch=1, to=10)
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT records, dead_letters, owner FROM positions"))).one()
    assert tuple(row) == (10, 2, "a")


async def test_a_new_log_is_begun_at_its_start_under_the_epoch_that_was_claimed(engine: AsyncEngine) -> None:
    await claim(engine, "a", HERE)
    await advance(engine, epoch=1, to=500)
    async with engine.begin() as tx:
        await positions.restart(tx, "reader", {HERE: LogStart("log-2", 3)})
    async with engine.begin() as tx:
        assert await positions.lock(tx, "reader", {HERE: 1}) == {HERE: 3}
        assert await positions.claim(tx, "reader", "b", {HERE: LogStart("log-2", 0)}) == {
            HERE: Claim(3, 2, "log-2")
        }


async def test_claiming_nothing_is_allowed(engine: AsyncEngine) -> None:
    assert await claim(engine, "a") == {}
