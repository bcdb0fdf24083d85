"""`csm logs`: what the processes of a stack have said."""

import time
from pathlib import Path
from typing import Annotated

import typer

from csm_cli.stack.home import Home
from csm_cli.stack.loglines import readable
from csm_cli.stack.logreader import LogReader
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
    readers = [LogReader(path) for path in _paths(Home(home), name)]
    width = max(len(reader.path.stem) for reader in readers)
    for reader in readers:
        _show(reader, reader.last(lines), width)
    while follow:
        time.sleep(POLL_SECONDS)
        for reader in readers:
            _show(reader, reader.fresh(), width)


def _paths(home: Home, name: str | None) -> list[Path]:
    known = sorted(home.logs.glob("*.log"))
    chosen = [path for path in known if name in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in known) or "none yet"
        raise NotFoundError(f"There is no log of {name or 'any process'} in {home.logs}; there are: {names}.")
    return chosen


def _show(reader: LogReader, lines: list[str], width: int) -> None:
    for line in lines:
        for part in readable(line).splitlines():
            typer.echo(f"{reader.path.stem:<{width}} | {part}")
