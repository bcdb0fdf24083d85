"""A mail server and web endpoints in a process of their own, which only count: `GET /count`, `GET /arrivals`, `POST /forget`.

`/hook/…` answers at once, `/hang/…` never.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from uvicorn.config import Config

from benchmarks.ingest.servers import free_port


@dataclass
class Receivers:
    """What has arrived: mails, calls, and the instants of calls by webhook-id."""

    mails: int = 0
    last_mail: bytes = b""
    arrivals: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """One mail more."""
        self.mails += 1
        self.last_mail = envelope.original_content or b""
        return "250 Kept"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        body = b""
        while (part := await receive()).get("more_body"):
            body += part["body"]
        status, answer = await self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Any) -> tuple[int, bytes]:
        path = scope["path"]
        if path.startswith("/hook/"):
            id_ = next(value for name, value in scope["headers"] if name == b"webhook-id")
            self.arrivals.setdefault(id_.decode(), time.time())
            return 200, b""
        if path.startswith("/hang/"):
            await asyncio.sleep(3600)
        if path == "/count":
            return 200, msgspec.json.encode({"mails": self.mails, "calls": len(self.arrivals)})
        if path == "/arrivals":
            return 200, msgspec.json.encode(self.arrivals)
        if path == "/mail":
            return 200, self.last_mail
        self.mails, self.arrivals = 0, {}
        return 200, b""


@contextmanager
def receiving() -> Iterator[tuple[int, int]]:
    """The ports of the mail server and of the endpoints, for the length of the block."""
    smtp_port, http_port = free_port(), free_port()
    context = multiprocessing.get_context("spawn")
    ready, tell = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(smtp_port, http_port, tell), daemon=True)
    process.start()
    ready.recv()
    try:
        yield smtp_port, http_port
    finally:
        process.kill()
        process.join()


def _serve(smtp_port: int, http_port: int, tell: Connection) -> None:
    asyncio.run(_receive(smtp_port, http_port, tell))


async def _receive(smtp_port: int, http_port: int, tell: Connection) -> None:
    receivers, loop = Receivers(), asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(receivers, loop=loop, hostname="mail.test"), "127.0.0.1", smtp_port)
    config = Config(receivers, port=http_port, log_level="error", lifespan="off", timeout_keep_alive=60)
    serving = asyncio.create_task(uvicorn.Server(config).serve())
    tell.send(True)
    await serving
