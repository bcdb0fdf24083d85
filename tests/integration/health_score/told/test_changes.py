"""The change feed misses nothing, whatever commits late; and it tells at once who waits, one by one or as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.health_score.told.conftest import Told
from tests.support.health_score import event
from tests.support.ports import free_port
from tests.support.waiting import eventually

from csm_common.settings import HttpSettings
from csm_common.web.pages import encode_cursor
from csm_common.web.server import HttpServer

ROW = text("""
INSERT INTO history (account_id, revision, known_at, event_at, cause, fact_ids, scorecard, version, score, computed, band,
    band_before, score_before, coverage, detail)
VALUES (:account, :revision, now(), now(), 'facts', '{}', 'default', 1, :score, :score, :band, 'healthy', 80.0, 1.0, '')
""")


async def change(
    tx: AsyncConnection, account: str, revision: int, score: float = 40.0, band: str = "at_risk"
) -> None:
    """A change that somebody tells in a transaction of theirs."""
    told = {"account": account, "revision": revision, "score": score, "band": band}
    await tx.execute(ROW, told)


async def tell(told: Told, account: str, revision: int, **more: Any) -> None:
    """The same, committed."""
    async with told.world.engine.begin() as tx:
        await change(tx, account, revision, **more)


def names(page: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["account_id"], each["revision"]) for each in page["changes"]]


async def test_a_transaction_that_commits_late_is_not_missed(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]
    async with told.world.engine.connect() as late:
        await late.begin()
        await change(late, "late", 1)
        await tell(told, "early", 1)
        page = await told.get("changes", since=cursor)
        assert names(page) == []  # what is behind a transaction that still runs is held back
        await late.commit()
    page = await told.get("changes", since=page["cursor"])
    assert names(page) == [("late", 1), ("early", 1)]
    assert names(await told.get("changes", since=page["cursor"])) == []


async def test_writers_in_any_order_lose_no_row_to_a_reader_who_never_rests(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]

    async def write(writer: int) -> None:
        for revision in range(1, 16):
            async with told.world.engine.begin() as tx:
                await change(tx, f"w{writer}", revision)
                await tx.execute(text("SELECT pg_sleep(random() / 50)"))

    writers = [asyncio.create_task(write(each)) for each in range(3)]
    found: list[tuple[str, int]] = []
    while not all(each.done() for each in writers) or len(found) < 45:
        page = await told.get("changes", since=cursor, limit=7, wait=1)
        cursor = page["cursor"]
        found += names(page)
    assert len(found) == 45
    assert {*found} == {(f"w{writer}", revision) for writer in range(3) for revision in range(1, 16)}


async def test_pages_go_on_from_the_beginning_in_the_order_of_each_account(told: Told) -> None:
    for revision in range(1, 4):
        async with told.world.engine.begin() as tx:
            await change(tx, "b", revision)
            await change(tx, "a", revision)
    page = await told.get("changes", since="beginning", limit=4)
    rest = await told.get("changes", since=page["cursor"], limit=4)
    assert names(page) + names(rest) == [(account, each) for each in range(1, 4) for account in "ab"]
    assert (page["more"], rest["more"]) == (True, False)


async def test_whoever_waits_is_told_as_soon_as_something_comes(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]
    waiting = [asyncio.create_task(told.get("changes", since=cursor, wait=30)) for _ in range(5)]
    await eventually(lambda: len(told.changes.followers) == 5, what="all wait")
    await tell(told, "acme", 1)
    pages = await asyncio.gather(*waiting)
    assert [names(each) for each in pages] == [[("acme", 1)]] * 5
    assert len({each["cursor"] for each in pages}) == 1
    assert not told.changes.followers


async def test_waiting_in_vain_ends_with_a_cursor_to_go_on_from(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]
    page = await told.get("changes", since=cursor, wait=0.01)
    assert names(page) == []
    await tell(told, "acme", 1)
    assert names(await told.get("changes", since=page["cursor"])) == [("acme", 1)]


async def test_filters_and_rows_hold_for_what_was_and_for_what_comes(told: Told) -> None:
    await told.world.send(
        event("1", "north", "csm.account.changed", {"team": "north", "owner": "kim"}),
        event("2", "south", "csm.account.changed", {"team": "south"}),
    )
    begun = (await told.get("changes"))["cursor"]
    asked: list[tuple[str, dict[str, Any], list[str]]] = [
        ("all", {"team": "north"}, ["north"]),
        ("all", {"owner": "kim"}, ["north"]),
        ("team:south", {}, ["south"]),
        ("team:south", {"team": "north"}, []),
        ("all", {"band": "at_risk"}, ["south"]),
        ("all", {"band": "healthy", "min_change": 30}, ["south"]),
        ("all", {"min_change": 1}, ["south"]),
    ]

    async def ask(wait: float) -> list[list[str]]:
        pages = [told.get("changes", rows, since=begun, wait=wait, **more) for rows, more, _ in asked]
        return [[each["account_id"] for each in page["changes"]] for page in await asyncio.gather(*pages)]

    waiting = asyncio.create_task(ask(1.5))
    await eventually(lambda: len(told.changes.followers) == len(asked), what="all wait")
    async with told.world.engine.begin() as tx:
        await change(tx, "north", 10, score=79.5, band="healthy")
        await change(tx, "south", 10, score=40.0, band="at_risk")
    expected = [names for _, _, names in asked]
    assert await waiting == expected
    assert await ask(0) == expected


async def test_an_erasure_is_told_to_whoever_may_see_all(told: Told) -> None:
    await told.world.send(event("1", "acme", "csm.account.changed", {"team": "north"}))
    cursor = (await told.get("changes", since="beginning"))["cursor"]
    await told.world.send(event("2", "acme", "csm.account.erased", {}))
    [gone] = (await told.get("changes", since=cursor, band="healthy"))["changes"]
    assert (gone["kind"], gone["account_id"], gone["change"]) == ("erased", "acme", None)
    assert (await told.get("changes", "team:north", since=cursor))["changes"] == []
    [only] = (await told.get("changes", since="beginning"))["changes"]
    assert only["kind"] == "erased"
    await told.world.send(event("3", "acme", "csm.survey.answered", {"kind": "nps", "score": 9}))
    [again] = (await told.get("changes", since=gone["cursor"]))["changes"]
    assert (again["kind"], again["revision"] > gone["revision"]) == ("change", True)


async def test_a_cursor_of_another_life_of_the_database_is_refused(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]
    assert "code" not in await told.get("changes", since=cursor)
    ahead = encode_cursor(2**53, "", -1)
    assert (await told.get("changes", since=ahead))["code"] == "cursor_ahead"
    assert (await told.get("changes", since="made up"))["code"] == "invalid"


@asynccontextmanager
async def served(told: Told) -> AsyncIterator[httpx.AsyncClient]:
    """A client over a real connection, on which events come one by one."""
    settings, stop = HttpSettings(port=free_port()), asyncio.Event()
    serving = asyncio.create_task(HttpServer(told.app, settings).run(stop))
    async with told.client() as inside:
        headers = inside.headers
    url = f"http://127.0.0.1:{settings.port}"
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            await eventually(lambda: answers(client), what="the door is open")
            yield client
    finally:
        stop.set()
        await serving


async def answers(client: httpx.AsyncClient) -> bool:
    """Whether the door is open."""
    try:
        return (await client.get("/livez")).status_code == 200
    except httpx.TransportError:
        return False


class Stream:
    """The events of a stream as (event, id, data), without comments."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> dict[str, str]:
        """The next event."""
        found: dict[str, str] = {}
        async for line in self._lines:
            if not line and "event" in found:
                return found
            name, _, value = line.partition(": ")
            found = found | {name: value} if line else {}
        return found

    async def changes(self, count: int) -> list[tuple[str, int]]:
        """So many changes."""
        told = [json.loads((await self.next())["data"]) for _ in range(count)]
        return [(each["account_id"], each["revision"]) for each in told]


def streaming(client: httpx.AsyncClient, **headers: str) -> AbstractAsyncContextManager[httpx.Response]:
    """From the beginning."""
    asked = {"Accept": "text/event-stream", **headers}
    return client.stream("GET", "/v1/changes", params={"since": "beginning"}, headers=asked)


async def test_a_stream_tells_what_was_and_what_comes_and_goes_on_behind_the_last_event(told: Told) -> None:
    await tell(told, "acme", 1)
    async with served(told) as client:
        async with streaming(client) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            stream = Stream(answer)
            first = await stream.next()
            assert (first["event"], json.loads(first["data"])["cursor"]) == ("change", first["id"])
            await eventually(lambda: told.changes.followers, what="it waits")
            await tell(told, "acme", 2)
            await tell(told, "acme", 3)
            assert await stream.changes(2) == [("acme", 2), ("acme", 3)]
        async with streaming(client, **{"Last-Event-ID": first["id"]}) as answer:
            assert await Stream(answer).changes(2) == [("acme", 2), ("acme", 3)]


async def test_a_stopping_service_lets_all_who_wait_go(told: Told) -> None:
    cursor = (await told.get("changes"))["cursor"]
    waiting = asyncio.create_task(told.get("changes", since=cursor, wait=30))
    async with served(told) as client, streaming(client) as answer:
        await eventually(lambda: len(told.changes.followers) == 2, what="both wait")
        told.stop.set()
        assert names(await waiting) == []
        stream = Stream(answer)
        assert (await stream.next())["event"] == "end"
        assert await stream.next() == {}
