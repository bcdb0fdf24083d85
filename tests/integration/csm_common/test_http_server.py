"""The door: it opens on a free port, says clearly when it cannot, and lets requests in flight finish."""

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.support.consuming import running
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually

from csm_common.errors import FatalError
from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer


class Door:
    """An app whose answer can be held back."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.app = Starlette(routes=[Route("/", self.endpoint)])

    async def endpoint(self, _: Request) -> PlainTextResponse:
        """Answers once it may."""
        self.asked.set()
        await self.answer.wait()
        return PlainTextResponse("welcome")


async def test_a_request_in_flight_is_finished_before_it_closes() -> None:
    door, port = Door(), free_port()
    async with httpx.AsyncClient() as client:
        async with running(HttpServer(door.app, HttpSettings(port=port)).run):
            await eventually(lambda: accepts(port))
            request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await door.asked.wait()
            asyncio.get_running_loop().call_later(0.2, door.answer.set)  # after it was told to stop
        assert (await request).text == "welcome"
    assert not await accepts(port)


async def test_a_taken_port_is_a_sentence_not_a_sudden_exit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=f"Cannot listen on 127.0.0.1:{port}"):
            await HttpServer(Door().app, HttpSettings(port=port)).run(asyncio.Event())
