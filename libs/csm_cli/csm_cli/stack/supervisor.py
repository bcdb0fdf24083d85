"""The supervisor of one stack: starts everything in order, restarts services and the broker, ends everything at the end."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
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
BROKER = "broker"
RESTARTED = (*SERVICES, BROKER)


class Supervisor:
    """Holds the children of one stack; `run` is its whole life."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._children: dict[str, Child] = {}
        self._ready: set[str] = set()
        self._changing = asyncio.Lock()
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
        admin_dsn, bootstrap = self._spawn_servers()
        # Here, for it brings SQLAlchemy: half a second that other commands do not pay, and servers need to start.
        from csm_cli.stack.provision import provision

        await self._all_ready()
        with self._progress.step("database", "schemas, roles and keys"):
            made = await provision(admin_dsn, Credentials(options.home))
        for name in SERVICES:
            self._spawn(service(name, options=options, bootstrap=bootstrap, dsn=made.service_dsns[name]))
        await self._all_ready()
        self._stack = describe(options.ports, bootstrap=bootstrap, admin_dsn=made.admin_dsn, keys=made.keys)
        self._publish()

    def _spawn_servers(self) -> tuple[str, str]:
        """Start what the services stand on; returns the administrator's DSN and Kafka's bootstrap address."""
        home, ports = self._options.home, self._options.ports
        admin_dsn, bootstrap = self._options.postgres, self._options.kafka
        if admin_dsn is None:
            postgres = EmbeddedPostgres(home.path, ports.postgres)
            with self._progress.busy("preparing postgres"):
                postgres.prepare()
            self._spawn(postgres.child)
            admin_dsn = postgres.dsn()
        if bootstrap is None:
            broker = EmbeddedBroker(home.path, ports.broker)
            self._spawn(broker.child)
            bootstrap = broker.bootstrap
        self._spawn(sinks(self._options))
        return admin_dsn, bootstrap

    def _spawn(self, child: Child) -> None:
        self._children[child.name] = child
        child.spawn()

    async def _all_ready(self) -> None:
        """Wait until all that were spawned serve, in the order of their start."""
        for child in self._children.values():
            if child.name not in self._ready:
                with self._progress.step(child.name, self._options.ports.address(child.name)):
                    await self._await_ready(child)
                self._ready.add(child.name)

    async def _await_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not child.is_ready():
            for each in self._children.values():
                each.ensure_running()
            if time.monotonic() > deadline:
                raise child.too_slow(READY_SECONDS)
            await asyncio.sleep(POLL_SECONDS)

    async def _present(self, on_ready: Callable[[], None]) -> None:
        self._progress.say(summary(self._stack, self._options.home, datetime.now(UTC)))
        on_ready()
        if self._options.demo:
            await self._load_demo()

    async def _load_demo(self) -> None:
        # Here for the same reason as provision: only a stack with demo pays for it.
        from csm_cli.demo import load

        self._progress.say("\nThe demo is being loaded.")
        try:
            await load(self._stack, self._progress.say)
        except Exception as error:
            # The stack is useful without its demo, so it stays up whatever went wrong there.
            self._progress.say(f"The demo could not be loaded: {type(error).__name__}: {error}")

    async def _keep(self, child: Child) -> None:
        """Watch one child for ever. Services and broker are restarted; FatalError when one dies too often, or any other dies."""
        restarts = Restarts()
        while True:
            await _ended(child)
            pause = restarts.pause(time.monotonic()) if child.name in RESTARTED else None
            story = f"{child.name} {child.ending()}; its last words: {child.last_error() or 'none'}."
            if pause is None:
                often = " It died too often within a minute." if child.name in RESTARTED else ""
                raise FatalError(f"{story}{often} The stack is stopped; the whole log is {child.log}.")
            self._progress.say(f"{story} {_AGAIN_WITH_ALL if child.name == BROKER else _AGAIN}")
            await asyncio.sleep(pause)
            async with self._changing:
                await self._restart(child)

    async def _restart(self, child: Child) -> None:
        if child.name == BROKER:
            await self._restart_with_services(child)
        elif child.exit_code is not None:  # else it came back together with the broker
            child.spawn()
        self._publish()

    async def _restart_with_services(self, broker: Child) -> None:
        """Its log begins anew. Who had read the old one notices that at its start only, so nobody goes on over the break:
        a position in the old log would skip as many records of the new one."""
        services = [self._children[name] for name in SERVICES if name in self._children]
        for each in services:
            each.stop()
        broker.spawn()
        await self._await_ready(broker)
        for each in services:
            each.spawn()

    def _publish(self) -> None:
        pids = {key(name): child.pid for name, child in self._children.items()}
        publish(self._options.home, {**self._stack, "pids": {SUPERVISOR: os.getpid(), **pids}})

    def _stop(self) -> None:
        with suppress(OSError):
            self._options.home.stack_file.unlink(missing_ok=True)
        for name in STOP_ORDER:
            if name in self._children:
                self._children[name].stop()


_AGAIN = "It is started again."
_AGAIN_WITH_ALL = (
    "It is started again, and the services with it. Its log was in memory:"
    " facts that were accepted and had not reached a score yet are lost."
)


async def _ended(child: Child) -> None:
    while True:
        if child.exit_code is not None:
            return
        await asyncio.sleep(POLL_SECONDS)
