"""One run of a stack from lock to unlock: clears what a killed run left, then hands over to the supervisor."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from csm_cli.stack.checks import check
from csm_cli.stack.guard import Guard
from csm_cli.stack.home import Home
from csm_cli.stack.lock import hold
from csm_cli.stack.options import Options
from csm_cli.stack.processes import SUPERVISOR, Processes, end
from csm_cli.stack.progress import Progress
from csm_cli.stack.supervisor import Supervisor
from csm_common.errors import FatalError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DOWN_SECONDS = 150.0  # seven processes, each with its own bound, and some air


def run_stack(options: Options, progress: Progress, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run the stack until a stop signal; FatalError, in one sentence, when it cannot start or go on."""
    with hold(options.home) as lock:
        try:
            left = Processes(options.home).end_all()
            if left:
                progress.say(f"Ended what an earlier run had left: {', '.join(left)}.")
            check(options)
            rotate_logs(options.home)
            with _guarded(options.home, lock):
                asyncio.run(_until_signal(Supervisor(options, progress), progress, on_ready))
        except OSError as error:
            raise FatalError(f"The stack in {options.home.path} cannot run: {error}.") from error


def end_stack(home: Home) -> bool:
    """End the stack that runs in `home`, or what is left of one; False when there is none. Returns when all is gone."""
    processes = Processes(home)
    running = [entry.process() for entry in processes.entries().values()]
    if not any(running):
        return False
    entry = processes.entries().get(SUPERVISOR)
    supervisor = entry.process() if entry else None
    try:
        if supervisor is not None:
            end(supervisor, signal.SIGTERM, DOWN_SECONDS)
        with hold(home):
            processes.end_all()
    except psutil.AccessDenied as error:
        raise FatalError(f"The stack in {home.path} belongs to another user, who has to end it.") from error
    return True


def rotate_logs(home: Home) -> None:
    """Keep the logs of the run before as NAME.log.1, so that each run begins with empty ones."""
    for log in home.logs.glob("*.log"):
        log.replace(log.with_name(f"{log.name}.1"))


@contextmanager
def _guarded(home: Home, lock: int) -> Iterator[None]:
    processes = Processes(home)
    guard = Guard(home, keep_open=[lock])
    try:
        processes.add(SUPERVISOR, psutil.Process(), signal.SIGTERM)
        yield
    finally:
        with suppress(OSError):  # a full disk must not hide why the stack ends
            processes.remove(SUPERVISOR)
        guard.close()


async def _until_signal(supervisor: Supervisor, progress: Progress, on_ready: Callable[[], None]) -> None:
    running = asyncio.ensure_future(supervisor.run(on_ready))
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        progress.say("The stack has stopped.")
