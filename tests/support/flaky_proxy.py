"""A proxy in front of a service that goes wrong as planned, to see whether a client's second try counts twice."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import h11
import httpx

Fault = Literal["refuse", "limit", "lose"]
"""`refuse`: 500, and `limit`: 429, both before anything reached the service. `lose`: the service has taken the request, and
the connection breaks before the answer."""

_OWN_ANSWERS = {"refuse": (500, {}), "limit": (429, {"retry-after": "1"})}
_PROBLEM = b'{"code": "provoked", "message": "A test wants to see a second try."}'
_PASSED_ON = ("content-type", "content-encoding", "authorization")


class FlakyProxy:
    """`left` holds the faults that are still to come, one a request; without any it only passes on. `lost` has the statuses of
    the answers that nobody got."""

    def __init__(self, upstream: str, faults: Sequence[Fault], http: httpx.AsyncClient) -> None:
        self.left = deque(faults)
        self.lost: list[int] = []
        self.url = ""
        self._upstream = upstream
        self._http = http

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which is one request."""
        try:
            connection = h11.Connection(h11.SERVER)
            request, body = await _request(connection, reader)
            answer = await self._answer(request, body)
            if answer is None:
                writer.transport.abort()
                return
            status, headers, content = answer
            fields = [*headers.items(), ("content-length", str(len(content))), ("connection", "close")]
            for event in (
                h11.Response(status_code=status, headers=fields),
                h11.Data(data=content),
                h11.EndOfMessage(),
            ):
                writer.write(connection.send(event) or b"")
            await writer.drain()
        except (h11.RemoteProtocolError, ConnectionError):
            pass  # the client opened a connection and thought better of it
        finally:
            writer.close()

    async def _answer(self, request: h11.Request, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        fault = self.left.popleft() if self.left and request.method == b"POST" else None
        if fault in ("refuse", "limit"):
            status, headers = _OWN_ANSWERS[fault]
            return status, headers, _PROBLEM
        sent = {name.decode(): value.decode() for name, value in request.headers}
        answer = await self._http.request(
            request.method.decode(),
            self._upstream + request.target.decode(),
            content=body,
            headers={name: sent[name] for name in _PASSED_ON if name in sent},
        )
        if fault == "lose":
            self.lost.append(answer.status_code)
            return None
        return answer.status_code, {"content-type": answer.headers.get("content-type", "")}, answer.content


@asynccontextmanager
async def flaky_proxy(upstream: str, faults: Sequence[Fault]) -> AsyncIterator[FlakyProxy]:
    """A proxy on a free port of this machine."""
    async with httpx.AsyncClient(timeout=30.0) as http:
        proxy = FlakyProxy(upstream, faults, http)
        open_connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(proxy.serve(reader, writer))
            open_connections.add(task)
            task.add_done_callback(open_connections.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with server:
            proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield proxy
            for task in open_connections:
                task.cancel()
            await asyncio.gather(*open_connections, return_exceptions=True)


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    request: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request:
            return request, body
        else:
            raise ConnectionError("no request")
