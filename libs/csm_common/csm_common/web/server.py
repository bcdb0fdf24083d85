"""Uvicorn under our own runtime: signals belong to the runtime, which stops the door first."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from csm_common.errors import FatalError
from csm_common.settings import HttpSettings


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves `app` until told to stop; requests in flight are finished."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self._settings = settings
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody asks who the client is
            timeout_graceful_shutdown=10,
            lifespan="off",
        )
        self._server = _Server(config)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve; FatalError where the port is taken."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._listen()]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            await serving
        finally:
            stopping.cancel()

    def _listen(self) -> socket.socket:
        # Not left to uvicorn: it exits where the port is taken, right through the event loop.
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            raise FatalError(
                f"Cannot listen on {host}:{port} ({error.strerror}): is the port taken?"
            ) from error
