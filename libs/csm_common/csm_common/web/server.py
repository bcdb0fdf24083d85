"""Uvicorn under our own runtime: signals belong to the runtime, which stops the door first."""

import asyncio
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
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
            lifespan="off",
        )
        self._server = _Server(config)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve; FatalError where the port is taken."""
        serving = asyncio.create_task(self._server.serve())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            await serving
        except SystemExit as error:  # how uvicorn says that it cannot bind
            raise FatalError(
                f"Cannot listen on {self._settings.host}:{self._settings.port}: is the port taken?"
            ) from error
        finally:
            stopping.cancel()
