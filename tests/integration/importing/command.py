"""`csm import` as a process of its own, as a person starts it."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

# Where tests run in the background of a shell Ctrl-C is ignored, and programs inherit that.
_PROGRAM = """
import signal
import typer
from csm_cli.commands.importing import import_files
from csm_cli.main import Commands

signal.signal(signal.SIGINT, signal.default_int_handler)
app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)
app.command("import")(import_files)
app.command("other")(lambda: None)
app()
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str


class Command:
    """One running import; its checkpoint is below `home`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, home: Path, *arguments: str | Path) -> "Command":
        """Start it with these arguments."""
        command = [sys.executable, "-c", _PROGRAM, "import", *map(str, arguments)]
        command += ["--stack", str(home / "stack.json")]
        pipe = asyncio.subprocess.PIPE
        environment = {**os.environ, "COLUMNS": "200", "PYTHONWARNINGS": "error"}
        process = await asyncio.create_subprocess_exec(
            *command, stdout=pipe, stderr=pipe, env=environment, cwd=home
        )
        return cls(process)

    async def end(self) -> Ended:
        """Wait for its end."""
        output, errors = await self._process.communicate()
        return Ended(self._process.returncode or 0, output.decode(), errors.decode())

    async def kill(self) -> Ended:
        """End it at once, with no chance to do anything more."""
        self._process.kill()
        return await self.end()

    async def interrupt(self) -> Ended:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return await self.end()
