"""A stand-in for ingest on a real socket: checks and counts what comes as ingest would, and fails as it is told to."""

import asyncio
from collections import deque
from typing import Any, Literal, Self

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.support.ports import free_port
from tests.support.waiting import eventually

from csm_cli.importing.door import Refusal
from csm_cli.importing.dry_run import ContractCheck
from csm_common.contracts.envelope import BATCH_CONTENT_TYPE
from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer

KEY = "csm_test_key"
Fault = Literal["busy", "slow down", "hang up", "hang up after taking"]


class Receiver:
    """Remembers every event by id with the bytes it first came in.

    `faults` are used up one per request. Requests wait while `admit` is clear, as it is from the request with the
    number `holds_from` on.
    """

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.events: dict[str, bytes] = {}
        self.conflicts: list[str] = []
        self.requests = 0
        self.faults: deque[Fault] = deque()
        self.admit = asyncio.Event()
        self.admit.set()
        self.holds_from: int | None = None
        self.refuses_type: str | None = None
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; on the same port again after `stop`."""
        app = Starlette(routes=[Route("/v1/events", self._post, methods=["POST"])])
        port = int(self.url.rsplit(":", 1)[1])
        self._stop = asyncio.Event()
        server = HttpServer(app, HttpSettings(port=port))
        self._serving = asyncio.create_task(server.run(self._stop))
        await eventually(self._listens, what="the receiver listens")

    async def stop(self) -> None:
        """Finish what is in flight and listen no more."""
        self.admit.set()
        self._stop.set()
        if self._serving:
            await self._serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def of_type(self, name: str) -> list[dict[str, Any]]:
        """The events of one type."""
        decoded = (msgspec.json.decode(each) for each in self.events.values())
        return [each for each in decoded if each["type"] == name]

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rsplit(":", 1)[1]))
        except OSError:
            return False
        writer.close()
        return True

    async def _post(self, request: Request) -> Response:
        self.requests += 1
        if self.holds_from is not None and self.requests >= self.holds_from:
            self.admit.clear()
        await self.admit.wait()
        fault = self.faults.popleft() if self.faults else None
        if fault in ("busy", "slow down"):
            headers = {"retry-after": "0"}
            return JSONResponse(
                {"code": fault, "message": "Later."}, 503 if fault == "busy" else 429, headers
            )
        if fault == "hang up":
            return _hang_up()
        if request.headers["authorization"] != f"Bearer {KEY}":
            return JSONResponse({"code": "unauthenticated", "message": "No such key."}, 401)
        assert request.headers["content-type"] == BATCH_CONTENT_TYPE
        answer = await self._take(msgspec.json.decode(await request.body(), type=list[msgspec.Raw]))
        return _hang_up() if fault == "hang up after taking" else answer

    async def _take(self, events: list[msgspec.Raw]) -> Response:
        bodies = [bytes(each) for each in events]
        refused = [
            {"index": each.index, "id": "", "status": "rejected", "code": each.code, "message": each.message}
            for each in [*await ContractCheck().send(bodies), *self._unwanted(bodies)]
        ]
        faulty = {each["index"] for each in refused}
        for body in (each for index, each in enumerate(bodies) if index not in faulty):
            self._remember(body)
        counts = {"accepted": len(events) - len(refused), "rejected": len(refused), "results": refused}
        return JSONResponse(counts, 202 if counts["accepted"] else 400)

    def _unwanted(self, bodies: list[bytes]) -> list[Refusal]:
        types = [msgspec.json.decode(each)["type"] for each in bodies]
        return [
            Refusal(at, "unwanted", "not wanted")
            for at, name in enumerate(types)
            if name == self.refuses_type
        ]

    def _remember(self, body: bytes) -> None:
        event = msgspec.json.decode(body)
        if self.events.setdefault(event["id"], body) != body:
            self.conflicts.append(event["id"])


def _hang_up() -> Response:
    async def nothing() -> Any:
        return
        yield

    return StreamingResponse(nothing(), 202, {"content-length": "1000"})
