"""A real HTTP receiver on loopback that answers as a script says, byte for byte, and keeps what it was sent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it came in."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


Answering = Callable[["Receiver", asyncio.StreamWriter], Awaitable[None]]


def said(status: int, body: bytes = b"", **headers: str) -> Answering:
    """A whole answer."""

    async def answer(_: "Receiver", writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Told", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


def said_json(value: Any, status: int = 200) -> Answering:
    """A whole answer in JSON."""
    return said(status, json.dumps(value).encode(), content_type="application/json")


async def hung(receiver: "Receiver", _: asyncio.StreamWriter) -> None:
    """No answer until the test lets go."""
    await receiver.let_go.wait()


def begun(*pieces: bytes, closes: bool = False) -> Answering:
    """An answer that stops, or breaks off, after these pieces."""

    async def answer(receiver: "Receiver", writer: asyncio.StreamWriter) -> None:
        for each in pieces:
            writer.write(each)
            await writer.drain()
        if closes:
            writer.close()
        else:
            await receiver.let_go.wait()

    return answer


async def dribbled(receiver: "Receiver", writer: asyncio.StreamWriter) -> None:
    """A header that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not receiver.let_go.is_set():
        writer.write(b"z")
        await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(receiver.let_go.wait(), 0.01)


async def flooded(receiver: "Receiver", writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not receiver.let_go.is_set():
        writer.write(b"4000\r\n" + b"z" * 0x4000 + b"\r\n")
        receiver.flooded += 0x4000
        await writer.drain()


class Receiver:
    """`answers` are given in turn; then 200 with an empty body. Those who hang are let go at the end."""

    def __init__(self, *answers: Answering) -> None:
        self.answers = list(answers)
        self.came: list[Came] = []
        self.connections = 0
        self.flooded = 0
        self.let_go = asyncio.Event()
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        """With a path and a query that are secret."""
        return f"{self.scheme}://127.0.0.1:{self.port}/SECRET-PATH?token=SECRET-QUERY"

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Receiver"]:
        """Serve on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        self.scheme = "https" if tls else "http"
        try:
            yield self
        finally:
            self.let_go.set()
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                self.came.append(await _request(reader))
                await (self.answers.pop(0) if self.answers else said(200))(self, writer)
        writer.close()


async def _request(reader: asyncio.StreamReader) -> Came:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Came(head[0].split(" ")[1], headers, body)
