"""A source that falls silent for the whole fleet freezes its measures; when it is back, they move on."""

from datetime import timedelta

import pytest
from tests.integration.health_score.world import World
from tests.support.health_score import event

from health_score.adapters.sources import PostgresSources
from health_score.application.guard import guard
from health_score.domain.guard import GuardPolicy

POLICY = GuardPolicy(accounts=3, known_s=8 * 3_600, least_s=2 * 3_600, factor=2.0)
HOUR = timedelta(hours=1)


async def watch(world: World) -> None:
    """The guard looks; the writer takes up what it announced."""
    async with world.engine.begin() as tx:
        await guard(tx, PostgresSources(), POLICY, world.clock)
    world.parts.duties.look_out()
    await world.settle()


async def live(world: World, hours: int, *, accounts: str = "abc", uses: bool = True) -> None:
    """Hours go by in which every account uses the product; the guard looks all the while."""
    for _ in range(hours):
        world.clock.advance(HOUR)
        now = world.clock.now()
        if uses:
            await world.send(
                *(
                    event(f"{each}-{now.timestamp()}", each, "csm.usage.recorded", {"feature": "x"}, time=now)
                    for each in accounts
                )
            )
        for _ in range(6):
            await watch(world)
            world.clock.advance(HOUR / 6)
        world.clock.advance(-HOUR)


async def frozen(world: World) -> list[tuple[str, str]]:
    found = await world.rows("SELECT kind, name FROM model_changes WHERE kind <> 'activate' ORDER BY number")
    return [(str(kind), str(name)) for kind, name in found]


async def snapshot(world: World, account: str) -> tuple[float, list[str]]:
    [(score, names)] = await world.rows(
        "SELECT score, convert_from(snapshot, 'UTF8')::jsonb -> 'frozen' FROM accounts WHERE account_id = :id",
        id=account,
    )
    return float(score), list(names)


async def test_a_silent_fleet_is_a_broken_source(world: World) -> None:
    await live(world, 10)
    before, _ = await snapshot(world, "a")
    await live(world, 3, uses=False)
    assert await frozen(world) == [("silence", "csm.usage.recorded")]
    world.clock.advance(timedelta(days=40))
    await world.settle()
    score, names = await snapshot(world, "a")
    assert score == pytest.approx(before, abs=2.0)
    assert "usage_recency" in names
    await live(world, 1)
    assert await frozen(world) == [("silence", "csm.usage.recorded"), ("sound", "csm.usage.recorded")]
    assert (await snapshot(world, "a"))[1] == []


async def test_one_silent_account_is_a_silent_account(world: World) -> None:
    await live(world, 10)
    await live(world, 5, accounts="bc")
    assert await frozen(world) == []
