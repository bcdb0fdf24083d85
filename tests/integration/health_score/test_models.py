"""Another model takes over while facts go on flowing: its new signals get their past, and what it changes is told as its own."""

from asyncio import Event
from datetime import timedelta

from sqlalchemy import text
from tests.integration.health_score.world import World
from tests.support.health_score import EPOCH, event

from csm_common.contracts.topics import HEALTH_CROSSINGS
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.kept_states import PostgresKeptStates
from health_score.adapters.models import newest
from health_score.application.past import Pasts
from health_score.application.rebuilding import Comparison, rebuild
from health_score.assembly import create_parts
from health_score.entrypoints.pollers import model_poller

CARD = """
name: default
version: {version}
bands: {{critical: 0, at_risk: 25, neutral: 50, healthy: 75}}
dimensions:
  adoption:
    weight: 1
    measures:
      uses:
        weight: 1
        signal: {{kind: count, type: csm.usage.recorded, half_life_days: {half_life}}}
        curve: {{0: 0, {full}: 100}}
thresholds:
  at_risk: {{target: score, direction: below, enter: 50, exit: 55}}
"""


def card(version: int, half_life: float, full: float = 10) -> str:
    return CARD.format(version=version, half_life=half_life, full=full)


def uses(account: str, count: int, *, days_ago: float, name: str = "u") -> list[dict[str, object]]:
    time = EPOCH - timedelta(days=days_ago)
    return [
        event(f"{account}-{name}-{n}", account, "csm.usage.recorded", {"feature": "x"}, time=time)
        for n in range(count)
    ]


async def score(world: World, account: str) -> float:
    [(found,)] = await world.rows("SELECT score FROM accounts WHERE account_id = :id", id=account)
    return round(float(found), 2)


async def compared(world: World, *, write: bool = False) -> Comparison:
    parts = world.parts
    kept = PostgresKeptStates(world.engine, parts.codec, parts.models)
    pasts = Pasts(world.read_log, most=2, journal_s=86_400 * 7, journal_facts=10_000)
    return await rebuild(kept, pasts, 0, write=write)


async def test_new_signals_get_their_past_while_facts_go_on(world: World) -> None:
    await world.activate(card(2, 7), 2)
    await world.send(*uses("a", 8, days_ago=7), *uses("b", 4, days_ago=14), *uses("c", 6, days_ago=0))
    assert await score(world, "a") == 40.0
    await world.activate(card(3, 14), 3)
    await world.send(*uses("a", 2, days_ago=0, name="v"))  # seen by both, judged by the model before
    assert await score(world, "a") == 60.0
    await world.start()  # a new process finds the refold half done
    await world.send(*uses("b", 1, days_ago=0, name="v"))
    await world.refold()
    await world.settle()
    assert [await score(world, each) for each in "abc"] == [76.57, 30.0, 60.0]
    assert (await compared(world)).agrees
    assert await world.rows("SELECT count(*) FROM refolded") == [(0,)]


async def test_a_model_without_new_signals_takes_over_at_once(world: World) -> None:
    await world.activate(card(2, 7), 2)
    await world.send(*uses("a", 8, days_ago=0))
    await world.activate(card(3, 7, full=20), 3)
    await world.settle()
    assert await score(world, "a") == 40.0
    assert await world.rows("SELECT count(*) FROM refolds WHERE model > 5") == [(0,)]


async def test_what_the_model_brings_is_told_as_such_and_starts_no_outreach(world: World) -> None:
    await world.activate(card(2, 7), 2)
    await world.settle()
    await world.send(*uses("a", 8, days_ago=0))
    for version, full, outreach in ((3, 20, False), (4, 10, False), (5, 20, True)):
        await world.activate(card(version, 7, full), version, outreach=outreach)
        await world.settle()
    told = await world.rows(
        "SELECT cause, version, band_before, band FROM history WHERE account_id = 'a' ORDER BY revision"
    )
    assert told[-3:] == [
        ("model", 3, "healthy", "at_risk"),
        ("model", 4, "at_risk", "healthy"),
        ("model", 5, "healthy", "at_risk"),
    ]
    crossings = await world.rows(
        "SELECT direction, convert_from(crossing, 'UTF8')::jsonb -> 'cause' ->> 'outreach' FROM crossings"
    )
    assert sorted(crossings) == [("entered", "false"), ("entered", "true"), ("left", "false")]
    topics = await world.rows("SELECT count(*) FROM outbox WHERE topic = :topic", topic=HEALTH_CROSSINGS.name)
    assert topics == [(3,)]


async def test_an_account_erased_during_a_refold_does_not_come_back(world: World) -> None:
    await world.activate(card(2, 7), 2)
    await world.send(*uses("a", 8, days_ago=0), *uses("b", 5, days_ago=0))
    await world.activate(card(3, 14), 3)
    await world.send(event("gone", "a", "csm.account.erased", {}))
    await world.refold()
    await world.settle()
    await world.send(*uses("a", 1, days_ago=0, name="v"))
    assert [await score(world, each) for each in "ab"] == [10.0, 50.0]
    assert (await compared(world)).agrees


async def test_a_rebuild_finds_what_is_not_as_the_log_says_and_puts_it_right(world: World) -> None:
    await world.activate(card(2, 7), 2)
    await world.send(*uses("a", 8, days_ago=0), *uses("b", 5, days_ago=0), *uses("c", 2, days_ago=0))
    await world.settle()
    async with world.engine.begin() as tx:
        state = (await PostgresAccounts(world.parts.codec).load(tx, ["a"]))["a"]
        state.signals = {}
        spoilt = {"state": world.parts.codec.encode(state)}
        await tx.execute(text("UPDATE accounts SET state = :state WHERE account_id = 'a'"), spoilt)
        await tx.execute(text("DELETE FROM accounts WHERE account_id = 'c'"))
    found = await compared(world, write=True)
    assert (found.equal, found.differing, found.missing, found.agrees) == (1, ["a"], ["c"], False)
    await world.start()
    await world.settle()
    assert (await compared(world)).agrees
    assert [await score(world, each) for each in "abc"] == [80.0, 50.0, 20.0]


async def test_the_poller_reads_the_models_when_one_is_new(world: World) -> None:
    models, changed = create_parts(world.engine).models, Event()
    poller = model_poller(world.engine, newest, models, changed.set)
    await poller.run(changed)
    known = models.latest.number
    await world.activate(card(2, 7), 2)
    changed.clear()
    await poller.run(changed)
    assert models.latest.number > known


async def test_a_change_of_the_model_and_the_end_of_a_refold_are_news(world: World) -> None:
    async def seen() -> object:
        async with world.engine.connect() as connection:
            return await newest(connection)

    first = await seen()
    await world.send(*uses("a", 8, days_ago=7))
    assert await seen() == first
    await world.activate(card(2, 7), 2)
    changed = await seen()
    await world.settle()
    assert first != changed == await seen()
    await world.refold()
    assert await seen() != changed
