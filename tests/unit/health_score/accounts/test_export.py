"""An export that breaks off says so in its last line, and its connection is cut: no client can take it for a whole one."""

import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from tests.support.clock import ManualClock
from tests.support.consuming import running
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import eventually
from tests.unit.health_score.application.owner import TX, default_models, read_default

from csm_common.errors import TransientError
from csm_common.settings import HttpSettings
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.rows import Rows
from csm_common.web.server import HttpServer
from health_score.application.account_query import AccountFilters
from health_score.application.models import Models
from health_score.application.read_ports import ListedRow
from health_score.application.walk import Order, Place
from health_score.entrypoints.export import create_export_router

PAGE = 1_000


class Lists:
    """AccountLists over so many accounts, which breaks behind the page of that number."""

    def __init__(self, many: int, breaks_behind: int | None = None) -> None:
        self.many = many
        self.breaks_behind = breaks_behind
        self.pages = 0

    async def page(
        self,
        filters: AccountFilters,
        rows: Rows,
        order: Order,
        after: Place | None,
        limit: int,
        now: datetime,
    ) -> list[ListedRow]:
        """The next accounts."""
        if self.pages == self.breaks_behind:
            raise TransientError("The database went away.")
        self.pages += 1
        first = 0 if after is None else int(after.account_id) + 1
        ids = [f"{number:06}" for number in range(first, min(first + limit, self.many))]
        return [ListedRow(each, None, None, b'{"account_id":"%s"}' % each.encode(), "1:1:") for each in ids]

    async def count(self, filters: AccountFilters, rows: Rows, now: datetime) -> int:
        """Not asked for."""
        raise NotImplementedError


KEYS = MemoryKeys()
HEADERS = {"Authorization": f"Bearer {KEYS.add('reader', scopes=['health:read'])}"}


async def app(lists: Lists) -> FastAPI:
    """The export over these accounts."""
    models, clock = Models(default_models({}), read_default), ManualClock()
    await models.load(TX)
    return create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(KEYS, clock),
        routers=[create_export_router(lists, models, clock)],
        ready={},
        alive={},
    )


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A real server over accounts that break off behind the second page."""
    port = free_port()
    async with (
        running(HttpServer(await app(Lists(5 * PAGE, breaks_behind=2)), HttpSettings(port=port)).run),
        httpx.AsyncClient() as client,
    ):

        async def opened() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/livez")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(opened)
        yield f"http://127.0.0.1:{port}/v1/accounts:export"


async def until_it_breaks(address: str, **query: str) -> bytes:
    """The bytes that came before the connection was cut, which must be noticed."""
    came, accepted = bytearray(), {"Accept-Encoding": query.pop("encoding", "identity")}
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", address, params=query, headers=HEADERS | accepted) as answer,
    ):
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            await read(answer, came)
    return bytes(came)


async def read(answer: httpx.Response, into: bytearray) -> None:
    """To the end."""
    async for chunk in answer.aiter_raw():
        into += chunk


async def test_ndjson_that_breaks_off_says_so_and_is_cut(address: str) -> None:
    *accounts, last = (await until_it_breaks(address)).splitlines()
    assert len(accounts) == 2 * PAGE
    assert msgspec.json.decode(last)["error"]["code"] == "unavailable"


async def test_a_table_that_breaks_off_says_so_and_is_cut(address: str) -> None:
    told = (await until_it_breaks(address, format="csv")).decode().splitlines()
    assert len(told) == 1 + 2 * PAGE + 1
    assert told[-1].startswith("#error,")


async def test_gzip_that_breaks_off_has_no_trailer(address: str) -> None:
    came = await until_it_breaks(address, encoding="gzip")
    with pytest.raises(EOFError):
        gzip.decompress(came)
    assert b'"error"' in zlib.decompressobj(31).decompress(came).splitlines()[-1]


@pytest.mark.parametrize("many", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
async def test_a_whole_one_has_every_account_once(many: int) -> None:
    transport = httpx.ASGITransport(await app(Lists(many)))
    async with httpx.AsyncClient(transport=transport, base_url="http://health", headers=HEADERS) as client:
        told = await client.get("/v1/accounts:export")
    ids = [msgspec.json.decode(each)["account_id"] for each in told.text.splitlines()]
    assert ids == [f"{number:06}" for number in range(many)]


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br;q=1.0, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
async def test_it_is_packed_where_that_is_accepted(accepted: str, packed: bool) -> None:
    transport = httpx.ASGITransport(await app(Lists(3)))
    async with httpx.AsyncClient(transport=transport, base_url="http://health", headers=HEADERS) as client:
        told = await client.get("/v1/accounts:export", headers={"Accept-Encoding": accepted})
    assert (told.headers.get("content-encoding") == "gzip") is packed
    assert len(told.text.splitlines()) == 3
