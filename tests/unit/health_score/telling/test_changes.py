"""Whoever follows the feed gets every change once and in order, however slowly and whoever else waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.health_score_telling import change
from tests.support.waiting import eventually
from tests.unit.health_score.domain.examples import thorough
from tests.unit.health_score.telling.feed import MemoryFeed

from csm_common.errors import ConflictError
from csm_common.web.rows import ALL_ROWS, Rows
from health_score.application.changes import Changes
from health_score.application.changes_ports import BEGINNING, FeedRow, Page, Position, Wanted

ALL = Wanted(rows=ALL_ROWS)


@asynccontextmanager
async def running(feed: MemoryFeed, *, most_held: int = 2_000) -> AsyncIterator[Changes]:
    changes, stop = Changes(feed, interval_s=0.001, most_held=most_held), asyncio.Event()
    task = asyncio.create_task(changes.run(stop))
    yield changes
    stop.set()
    await task


def told(page: Page) -> list[tuple[str, int]]:
    return [row.position[1:] for row in page.rows]


steps = st.lists(
    st.sampled_from(["begin", "begin", "tell", "tell", "commit", "read"]).flatmap(
        lambda step: st.tuples(st.just(step), st.integers(0, 9))
    ),
    max_size=60,
)


@thorough
@given(steps, st.integers(1, 4))
async def test_no_order_of_commits_loses_a_row_or_gives_one_twice(
    steps: list[tuple[str, int]], limit: int
) -> None:
    feed, wrote, found = MemoryFeed(), set[tuple[str, int]](), list[tuple[str, int]]()
    changes, after, running_now = Changes(feed), BEGINNING, list[int]()
    for step, pick in steps:
        if step == "begin":
            running_now.append(feed.begin())
        elif step == "tell" and running_now:
            xact = running_now[pick % len(running_now)]
            feed.tell(xact, f"a{pick % 3}", len(wrote))
            wrote.add((f"a{pick % 3}", len(wrote)))
        elif step == "commit" and running_now:
            feed.commit(running_now.pop(pick % len(running_now)))
        elif step == "read":
            page = await changes.read(after, ALL, limit)
            found, after = [*found, *told(page)], page.reached
    for xact in running_now:
        feed.commit(xact)
    more = True
    while more:
        page = await changes.read(after, ALL, limit)
        found, after, more = [*found, *told(page)], page.reached, page.more
    assert len(found) == len(wrote)
    assert {*found} == wrote


async def test_a_thousand_who_wait_cost_what_one_costs() -> None:
    feed = MemoryFeed()
    feed.told("acme", 1)
    async with running(feed) as changes:
        after = await changes.begin(None)
        waiting = [asyncio.create_task(changes.wait(after, ALL, 10, 30)) for _ in range(1_000)]
        await eventually(lambda: len(changes.followers) == 1_000, what="all wait")
        before = feed.looks
        feed.told("acme", 2)
        pages = await asyncio.gather(*waiting)
        assert {tuple(told(page)) for page in pages} == {(("acme", 2),)}
        assert feed.looks - before < 100  # a few rounds of the one who looks for all
        again = [asyncio.create_task(changes.wait(pages[0].reached, ALL, 10, 30)) for _ in range(1_000)]
        await eventually(lambda: len(changes.followers) == 1_000, what="all wait again")
        feed.told("acme", 3)
        assert {tuple(told(page)) for page in await asyncio.gather(*again)} == {(("acme", 3),)}


async def test_whoever_was_told_more_by_another_replica_gets_nothing_twice() -> None:
    feed = MemoryFeed()
    changes, other = Changes(feed), Changes(feed)
    async with changes.following(await changes.begin(None), ALL) as first:
        feed.told("acme", 1)
        ahead = (await other.read(BEGINNING, ALL, 10)).reached
        async with changes.following(ahead, ALL) as second:
            assert told(await first.take(0.0)) == [("acme", 1)]
            assert second.begun == ahead
            assert told(await second.take(0.0)) == []


async def test_what_came_while_nobody_looked_is_given_in_pages() -> None:
    feed = MemoryFeed()
    async with running(feed) as changes:
        for revision in range(1, 6):
            feed.told("acme", revision)
        page = await changes.wait(BEGINNING, ALL, 3, 30)
        rest = await changes.wait(page.reached, ALL, 3, 30)
        assert told(page) + told(rest) == [("acme", revision) for revision in range(1, 6)]
        assert (page.more, rest.more) == (True, False)


async def test_much_at_once_is_given_in_pages_to_one_who_waits() -> None:
    feed = MemoryFeed()
    async with running(feed) as changes:
        waiting = asyncio.create_task(changes.wait(await changes.begin(None), ALL, 3, 30))
        await eventually(lambda: changes.followers, what="one waits")
        feed.told("acme", *range(1, 1_203))
        page = await waiting
        found = told(page)
        while page.more:
            page = await changes.wait(page.reached, ALL, 500, 30)
            found += told(page)
        assert found == [("acme", revision) for revision in range(1, 1_203)]


async def test_one_who_takes_too_slowly_is_overrun_and_loses_nothing_by_it() -> None:
    feed = MemoryFeed()
    async with running(feed, most_held=3) as changes:
        async with changes.following(await changes.begin(None), ALL) as follower:
            for revision in range(1, 7):
                feed.told("acme", revision)
            await eventually(lambda: follower.overrun, what="it is overrun")
            feed.told("acme", 7)
            page = await follower.take(1)
        rest = await changes.read(page.reached, ALL, 100)
        assert told(page) + told(rest) == [("acme", revision) for revision in range(1, 8)]


async def test_a_service_that_stops_lets_those_who_wait_go() -> None:
    async with running(MemoryFeed()) as changes:
        waiting = asyncio.create_task(changes.wait(await changes.begin(None), ALL, 10, 30))
        await eventually(lambda: changes.followers, what="one waits")
    assert told(await waiting) == []
    assert changes.closing


async def test_a_place_that_the_database_has_not_come_to_is_refused() -> None:
    with pytest.raises(ConflictError, match="another life"):
        await Changes(MemoryFeed()).begin(Position(99, "", -1))


async def test_an_account_that_little_is_wanted_of_costs_no_more_than_some_pages() -> None:
    feed = MemoryFeed()
    feed.told("acme", *range(1, 6_001))
    nothing = Wanted(rows=ALL_ROWS, band="neutral")
    page = await Changes(feed).read(BEGINNING, nothing, 10)
    assert (told(page), page.more, page.reached[1:]) == ([], True, ("acme", 5_000))


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (ALL, True),
        (Wanted(rows=ALL_ROWS, band="at_risk"), True),
        (Wanted(rows=ALL_ROWS, band="healthy"), True),
        (Wanted(rows=ALL_ROWS, band="neutral"), False),
        (Wanted(rows=ALL_ROWS, team="north", owner="kim"), True),
        (Wanted(rows=ALL_ROWS, owner="lee"), False),
        (Wanted(rows=Rows(team="north")), True),
        (Wanted(rows=Rows(team="south")), False),
        (Wanted(rows=Rows(team="south"), team="north"), False),
        (Wanted(rows=ALL_ROWS, min_change=90), True),
    ],
)
def test_what_is_wanted_and_may_be_seen_is_told(wanted: Wanted, taken: bool) -> None:
    row = FeedRow(Position(1, "acme", 1), change("acme", 1), owner="kim", team="north")
    assert wanted.takes(row) is taken


def test_a_small_change_within_a_band_is_only_told_to_whoever_wants_it() -> None:
    row = FeedRow(Position(1, "acme", 1), change("acme", 1, score=79.0), owner=None, team=None)
    assert Wanted(rows=ALL_ROWS, min_change=1.0).takes(row)
    assert not Wanted(rows=ALL_ROWS, min_change=1.5).takes(row)
