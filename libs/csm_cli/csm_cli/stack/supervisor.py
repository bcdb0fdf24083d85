"""The supervisor of one stack: starts everything in order, restarts services that die, ends everything at the end."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from csm_cli.stack.broker import EmbeddedBroker
from csm_cli.stack.child import READY_SECONDS, Child
from csm_cli.stack.credentials import Credentials
from csm_cli.stack.description import describe, publish, summary
from csm_cli.stack.options import Options
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_cli.stack.processes import SERVICES, STOP_ORDER, SUPERVISOR, key
from csm_cli.stack.progress import Progress
from csm_cli.stack.restarts import Restarts
from csm_cli.stack.services import service, sinks
from csm_common.errors import FatalError

POLL_SECONDS = 0.05


class Supervisor:
    """Holds the children of one stack; `run` is its whole life."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._children: dict[str, Child] = {}
        self._stack: dict[str, Any] = {}

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Start the stack and keep it up until this task is cancelled; FatalError when it cannot go on.

        `on_ready` is called once all is up and said. However this ends, the children have ended before it returns.
        """
        try:
            await self._start()
            await asyncio.gather(self._present(on_ready), *map(self._keep, self._children.values()))
        finally:
            self._stop()

    async def _start(self) -> None:
        options = self._options
        postgres = (
            EmbeddedPostgres(options.home.path, options.ports.postgres) if not options.postgres else None
        )
        broker = EmbeddedBroker(options.home.path, options.ports.broker) if not options.kafka else None
        servers = [server for server in (postgres, broker) if server is not None]
        for server in servers:
            with self._progress.busy(f"preparing {server.child.name}"):
                server.prepare()
        await self._bring_up(*(server.child for server in servers), sinks(options))
        admin_dsn = postgres.dsn() if postgres else str(options.postgres)
        bootstrap = broker.bootstrap if broker else str(options.kafka)
        # Here, for it brings SQLAlchemy: half a second that no other command pays, and the servers use to start.
        from csm_cli.stack.provision import provision

        with self._progress.step("database", "schemas, roles and keys"):
            made = await provision(admin_dsn, Credentials(options.home))
        await self._bring_up(
            *(
                service(name, options=options, bootstrap=bootstrap, dsn=made.service_dsns[name])
                for name in SERVICES
            )
        )
        self._stack = describe(options.ports, bootstrap=bootstrap, admin_dsn=made.admin_dsn, keys=made.keys)
        self._publish()

    async def _bring_up(self, *children: Child) -> None:
        """Start the children side by side and wait until all serve."""
        for child in children:
            self._children[child.name] = child
            child.spawn()
        for child in children:
            with self._progress.step(child.name, self._options.ports.address(child.name)):
                await self._await_ready(child)

    async def _await_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not child.is_ready():
            for each in self._children.values():
                each.ensure_running()
            if time.monotonic() > deadline:
                raise child.too_slow(READY_SECONDS)
            await asyncio.sleep(POLL_SECONDS)

    async def _present(self, on_ready: Callable[[], None]) -> None:
        if self._options.demo:
            await self._load_demo()
        self._progress.say(summary(self._stack, self._options.home, datetime.now(UTC)))
        on_ready()

    async def _load_demo(self) -> None:
        try:
            with self._progress.step("demo"):
                # Named here, not imported above: a stack without demo needs nothing of it.
                await import_module("csm_cli.demo").load(self._stack)
        except Exception as error:
            # The stack is useful without its demo, so it stays up whatever went wrong there.
            self._progress.say(f"  The demo data could not be loaded: {type(error).__name__}: {error}")

    async def _keep(self, child: Child) -> None:
        """Watch one child for ever. Services are restarted; FatalError when one dies too often, or anything else dies."""
        restarts = Restarts()
        while True:
            await _ended(child)
            pause = restarts.pause(time.monotonic()) if child.name in SERVICES else None
            story = f"{child.name} {child.ending()}; its last words: {child.last_error() or 'none'}."
            if pause is None:
                often = " It died too often within a minute." if child.name in SERVICES else ""
                raise FatalError(f"{story}{often} The stack is stopped; the whole log is {child.log}.")
            self._progress.say(f"{story} It is started again.")
            await asyncio.sleep(pause)
            child.spawn()
            self._publish()

    def _publish(self) -> None:
        pids = {key(name): child.pid for name, child in self._children.items()}
        publish(self._options.home, {**self._stack, "pids": {SUPERVISOR: os.getpid(), **pids}})

    def _stop(self) -> None:
        with suppress(OSError):
            self._options.home.stack_file.unlink(missing_ok=True)
        for name in STOP_ORDER:
            if name in self._children:
                self._children[name].stop()


async def _ended(child: Child) -> None:
    while True:
        if child.exit_code is not None:
            return
        await asyncio.sleep(POLL_SECONDS)
