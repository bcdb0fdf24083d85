"""A service's life: telemetry, its loops in one task group, SIGTERM drains them in order, a dead loop ends the process."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import uvloop

from csm_common.errors import CsmError, FatalError
from csm_common.settings import ServiceSettings
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.setup import setup_telemetry

log = get_logger(__name__)


@dataclass(slots=True)
class Loop:
    """Something that runs until its event is set."""

    name: str
    run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]
    stop: asyncio.Event = field(default_factory=asyncio.Event)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)

Build = Callable[[SettingsT], AbstractAsyncContextManager[Sequence[Loop]]]
"""Opens what the service needs and yields its loops in the order in which they are to be stopped: doors first, relay last."""


def run_service(name: str, settings: SettingsT, build: Build[SettingsT]) -> NoReturn:
    """Run the service until SIGTERM or SIGINT (exit 0) or until a loop dies (exit 1, with one clear line in the log)."""
    provider = setup_telemetry(name, settings.telemetry)
    try:
        uvloop.run(_serve(name, settings, build))
    except CsmError as error:
        log.error(error.message, code=error.code)
        sys.exit(1)
    except Exception:
        log.exception("the service ends because of an error nobody expected")
        sys.exit(1)
    finally:
        provider.shutdown()
    sys.exit(0)


async def _serve(name: str, settings: SettingsT, build: Build[SettingsT]) -> None:
    asked_to_stop = asyncio.Event()
    _on_signals(_leave)
    async with build(settings) as loops:
        _spare_the_garbage_collector()
        _on_signals(asked_to_stop.set)
        log.info("started", service=name, port=settings.http.port)
        await run_loops(loops, asked_to_stop, settings.drain_timeout_s)
    log.info("stopped", service=name)


def _on_signals(act: Callable[[], None]) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, act)


def _leave() -> None:
    """While servers are still waited for nothing has begun, so there is nothing to drain."""
    log.info("stopped before it had started")
    os._exit(0)


def _spare_the_garbage_collector() -> None:
    """What exists once the service is built stays, so it need not be looked at again; and garbage may gather a while.

    A batch of facts alone is tens of thousands of objects that all live until it is committed. With the defaults the hot paths
    spend a tenth of their time on collections that find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


async def run_loops(loops: Sequence[Loop], asked_to_stop: asyncio.Event, drain_timeout_s: float) -> None:
    """Run all loops until asked to stop or until one ends by itself; then stop them one after the other.

    They have `drain_timeout_s` in all to finish what they do. Raises what a loop died of, or FatalError when one just ended.
    """
    tasks = {asyncio.create_task(loop.run(loop.stop), name=loop.name): loop for loop in loops}
    waiting = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    died = [task for task in tasks if task.done()]
    waiting.cancel()
    deadline = asyncio.get_running_loop().time() + drain_timeout_s
    for task, loop in tasks.items():
        loop.stop.set()
        await asyncio.wait({task}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    late = [task.get_name() for task in tasks if not task.done()]
    for task in died:
        if (error := task.exception()) is not None:
            raise error
        raise FatalError(f"The loop {task.get_name()!r} ended by itself.")
    if late:
        raise FatalError(
            f"{', '.join(late)} did not finish within {drain_timeout_s:g} s; the work goes on after a restart."
        )
    for task in tasks:
        task.result()
