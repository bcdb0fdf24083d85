"""`csm logs`: what the processes of a stack have said."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from csm_cli.stack.child import last_lines
from csm_cli.stack.home import Home
from csm_cli.stack.loglines import readable
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import NotFoundError

POLL_SECONDS = 0.2


def logs(
    name: Annotated[
        str | None, typer.Argument(help="One process, e.g. ingest; all of them when left out.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is said from now on.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many past lines of each.")] = 20,
    home: Annotated[Path, typer.Option(help="The home the stack was started with.")] = DEFAULT_HOME,
) -> None:
    """Show the end of the logs of this run; each start keeps those of the run before as HOME/logs/NAME.log.1.

    Examples:

      csm logs

      csm logs health-score -n 100

      csm logs ingest -f
    """
    files = _files(Home(home), name)
    width = max(len(file.stem) for file in files)
    positions = {file: file.stat().st_size for file in files}
    for file in files:
        for line in last_lines(file, lines):
            _show(file, line, width)
    if follow:
        for file, line in _followed(positions):
            _show(file, line, width)


def _files(home: Home, name: str | None) -> list[Path]:
    known = sorted(home.logs.glob("*.log"))
    chosen = [file for file in known if name in (None, file.stem)]
    if not chosen:
        names = ", ".join(file.stem for file in known) or "none yet"
        raise NotFoundError(f"There is no log of {name or 'any process'} in {home.logs}; there are: {names}.")
    return chosen


def _followed(positions: dict[Path, int]) -> Iterator[tuple[Path, str]]:
    """Whole lines as they are appended, for ever. A file that shrank was begun anew and is read from its start."""
    while True:
        for file, position in positions.items():
            size = file.stat().st_size if file.exists() else 0
            with file.open("rb") as log:
                log.seek(position if size >= position else 0)
                content = log.read()
            whole = content[: content.rfind(b"\n") + 1]
            positions[file] = (position if size >= position else 0) + len(whole)
            for line in whole.decode("utf-8", errors="replace").splitlines():
                yield file, line
        time.sleep(POLL_SECONDS)


def _show(file: Path, line: str, width: int) -> None:
    for part in readable(line).splitlines():
        typer.echo(f"{file.stem:<{width}} | {part}")
