"""One process of the stack: started in its own session with its own log, watched, and ended with a bound."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from socket import create_connection

import psutil

from csm_cli.stack.account import Identity
from csm_cli.stack.home import Home
from csm_cli.stack.loglines import last_error, readable
from csm_cli.stack.logreader import LogReader
from csm_cli.stack.processes import Processes, end
from csm_common.errors import FatalError

READY_SECONDS = 60.0
HOST = "127.0.0.1"


class Child:
    """A process with a name. `ready` tells whether it serves by now."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        home: Home,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
        identity: Identity | None = None,
    ) -> None:
        self.name = name
        self.log = home.log(name)
        self._command = command
        self._ready = ready
        self._environment = environment or {}
        self._stop_signal = stop_signal
        self._identity = identity or Identity()
        self._processes = Processes(home)
        self._process: psutil.Popen | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the newest process of this name; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll() if self._process else None

    def spawn(self) -> None:
        """Start the process and record it; OSError when it cannot be started."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = psutil.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
                start_new_session=True,
                **self._identity,
            )
        self._processes.add(self.name, self._process, self._stop_signal)

    def is_ready(self) -> bool:
        """Whether it serves by now."""
        return self._ready()

    def ensure_running(self) -> None:
        """FatalError with the last lines of its log when it has ended while it should start."""
        if self.exit_code is not None:
            raise FatalError(f"{self.name} {self.ending()} while starting.{self._log_tail()}")

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Block until it serves; FatalError when it ends or takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            self.ensure_running()
            if time.monotonic() > deadline:
                raise self.too_slow(seconds)
            time.sleep(0.02)

    def too_slow(self, seconds: float) -> FatalError:
        """The error of a process that runs but does not serve."""
        return FatalError(f"{self.name} is not ready after {seconds:.0f} s.{self._log_tail()}")

    def stop(self) -> None:
        """End it: its stop signal, a bounded wait, then a kill. Nothing happens when it does not run."""
        if self._process is None:
            return
        end(self._process, self._stop_signal)
        with suppress(psutil.TimeoutExpired):  # takes its exit code, so that no zombie stays
            self._process.wait(1.0)
        self._process = None
        with suppress(OSError):  # a full disk must not keep the others running; a dead entry does no harm
            self._processes.remove(self.name)

    def ending(self) -> str:
        """How it ended, in words."""
        code = self.exit_code
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def last_error(self) -> str:
        """The last line of its log that tells of an error, else its last line; empty when there is none."""
        return last_error(LogReader(self.log).last(50))

    def _log_tail(self) -> str:
        lines = LogReader(self.log).last(10)
        return (
            f" The last lines of {self.log}:\n" + "\n".join(f"  {readable(line)}" for line in lines)
            if lines
            else ""
        )


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs `module`; -P keeps the working directory out of the import path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def accepts(port: int) -> bool:
    """Whether something listens on the loopback port."""
    try:
        create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    """Whether `GET path` on the loopback port is answered with 200 within a second."""
    connection = HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
