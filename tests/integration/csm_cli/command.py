"""The `csm` command as a person runs it, on a home and ports of its own."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from csm_cli.stack.checks import check
from csm_cli.stack.home import Home
from csm_cli.stack.options import Options
from csm_cli.stack.ports import Ports
from csm_common.errors import FatalError

MODULES = ("ingest", "health_score", "playbooks", "notifier")


class Csm:
    """Runs `csm`; what it starts is known by the home and the environment of this object."""

    def __init__(self, directory: Path) -> None:
        self.home = Home(directory / "home")
        self.port_base = free_ports(directory)
        self._services = directory / "services"
        self._services.mkdir()
        self._environment = {**os.environ, "PYTHONPATH": str(self._services)}

    def use_stand_ins(self) -> None:
        """Run stand-ins from now on, not the real services."""
        for module in MODULES:
            shutil.copy(Path(__file__).with_name("stand_in_service.py"), self._services / f"{module}.py")

    def __call__(self, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            [*self._command(*arguments), "--home", str(home or self.home.path)],
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
            env=self._environment,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        """`csm up` in the background."""
        return self("up", "--no-demo", "--detach", "--port-base", str(self.port_base))

    def up_in_foreground(self) -> subprocess.Popen[str]:
        """`csm up` as a child that the caller ends."""
        arguments = ("up", "--no-demo", "--port-base", str(self.port_base), "--home", str(self.home.path))
        return subprocess.Popen(
            self._command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )

    def doom(self, module: str) -> None:
        """From now on the service dies whenever it is started."""
        (self._services / f"{module}.doomed").touch()

    def pardon(self) -> None:
        """No service is doomed any more."""
        for mark in self._services.glob("*.doomed"):
            mark.unlink()

    def is_ready(self) -> bool:
        """Whether the stack has said where it is."""
        return self.home.stack_file.exists()

    def stack(self) -> dict[str, Any]:
        """stack.json."""
        stack: dict[str, Any] = json.loads(self.home.stack_file.read_text(encoding="utf-8"))
        return stack

    def pid(self, name: str) -> int:
        """The pid stack.json gives."""
        pid: int = self.stack()["pids"][name]
        return pid

    def kill(self, name: str) -> int:
        """End a process without warning; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def processes(self) -> list[psutil.Process]:
        """Every living process that has to do with this home or its services."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                mine = str(self.home.path) in " ".join(process.cmdline()) or self._is_service(process)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def _is_service(self, process: psutil.Process) -> bool:
        return process.environ().get("PYTHONPATH") == str(self._services)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "csm_cli.main", *arguments]


def free_ports(directory: Path) -> int:
    """The first of eight free ports in a row, below those the system hands out by itself."""
    while True:
        base = random.randrange(15_000, 32_000, 8)  # noqa: S311 (no secret)
        with suppress(FatalError):
            check(Options(home=Home(directory), ports=Ports.from_base(base)))
            return base
