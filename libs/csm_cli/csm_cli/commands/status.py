"""`csm status`: what runs, and how it is."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from csm_cli.stack.home import Home
from csm_cli.stack.options import DEFAULT_HOME
from csm_cli.stack.status import ProcessState, stack_state


def status(
    home: Annotated[Path, typer.Option(help="The home the stack was started with.")] = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array, for programs.")] = False,
) -> None:
    """Show the processes of the stack: name, pid, up since, URL and state. Exits 1 unless all of them are well.

    Services are asked whether they are ready; the other processes are running or down.

    Examples:

      csm status

      csm status --json | jq '.[] | select(.state == "down")'
    """
    place = Home(home)
    states = stack_state(place)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in states], default=str, indent=2))
    elif states:
        Console().print(_table(states))
    else:
        typer.echo(f"No stack is running in {place.path}.")
    if not states or not all(each.well for each in states):
        raise typer.Exit(1)


def _table(states: list[ProcessState]) -> Table:
    table = Table("name", "pid", "up since", Column("url", overflow="fold"), "state", box=SIMPLE_HEAD)
    for each in states:
        since = each.up_since.astimezone().strftime("%d %b %H:%M:%S") if each.up_since else ""
        colour = "green" if each.well else "red"
        table.add_row(each.name, str(each.pid), since, each.url, f"[{colour}]{each.state}[/]")
    return table
