"""`csm imports`: how far imports over HTTP are."""

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from csm_cli.rest_api import INGEST, HomeOption, JsonOption, KeyOption, UrlOption, rest_api
from csm_cli.stack.options import DEFAULT_HOME

PATH = "/v1/imports"

_COUNTS = ("lines", "accepted", "duplicates", "rejected")
_COLOURS = {"done": "green", "running": "blue", "interrupted": "yellow", "failed": "red"}

imports = typer.Typer(
    no_args_is_help=True,
    help="Files that were sent to POST /v1/imports. `csm import` (without an s) sends files by a mapping.",
)


@imports.command("list", epilog="Example: csm imports list --limit 10")
def list_imports(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show imports, the newest first."""
    rows = rest_api(INGEST, home, url, key).rows(PATH, "imports", limit)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif rows:
        Console().print(_table(rows))
    else:
        typer.echo("There are none.")


@imports.command(epilog="Example: csm imports show march")
def show(
    id: Annotated[str, typer.Argument(help="The import's id, as `csm imports list` shows it.")],
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show how far an import is, and what it did not take. Exits 1 where it did not reach its end."""
    job = rest_api(INGEST, home, url, key).get(f"{PATH}/{quote(id, safe='')}")
    if as_json:
        typer.echo(json.dumps(job, indent=2, ensure_ascii=False))
    else:
        Console().print(_table([job]))
        for code, count in job["reasons"].items():
            typer.echo(f"  {count} {code}")
        if job["problem"]:
            typer.echo(job["problem"])
    if job["status"] in ("interrupted", "failed"):
        raise typer.Exit(1)


def _table(rows: list[dict[str, Any]]) -> Table:
    numbers = [Column(name, justify="right") for name in _COUNTS]
    table = Table("id", "status", "format", "source", *numbers, "began", box=SIMPLE_HEAD)
    for each in rows:
        status = f"[{_COLOURS[each['status']]}]{each['status']}[/]"
        counts = [str(each[name]) for name in _COUNTS]
        began = f"{each['started_at'][:10]} {each['started_at'][11:19]}"
        table.add_row(each["id"], status, each["format"] or "", escape(each["source"] or ""), *counts, began)
    return table
