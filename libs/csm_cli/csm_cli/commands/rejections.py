"""`csm rejections`: what ingest did not take and why, and trying it again once the cause is mended."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

from csm_cli.printing import moment, print_json, print_rows
from csm_cli.rest_api import INGEST, HomeOption, JsonOption, KeyOption, LimitOption, UrlOption, rest_api
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH = "/v1/rejections"

rejections = typer.Typer(
    no_args_is_help=True,
    help="Messages that were not taken: list and count them, and try them again. Asks the running stack's ingest, or --url's.",
)

Source = Annotated[str | None, typer.Option(help="Only those of this source.")]
Code = Annotated[str | None, typer.Option(help="Only those with this code.")]


@rejections.command("list")
def list_rejections(
    source: Source = None,
    code: Code = None,
    format: Annotated[
        str | None, typer.Option(help="Only those of this format, such as cloudevents.")
    ] = None,
    status: Annotated[str, typer.Option(help="open, replayed or all.")] = "open",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show rejections, the latest first.

    Examples:

      csm rejections list --source sdk/web-app --code invalid_data

      csm rejections list --status all --json | jq '.[].body'
    """
    api = rest_api(INGEST, home, url, key)
    wanted = {"source": source, "code": code, "format": format, "status": status}
    rows = api.rows(PATH, "rejections", limit, **wanted)
    print_rows(rows, _table(rows), as_json)


@rejections.command(epilog="Example: csm rejections show 6f1c0d5e-3b1f-5c86-8f0c-6a52ff1a3d0b")
def show(
    id: Annotated[str, typer.Argument(help="The rejection's id, as `csm rejections list` shows it.")],
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one rejection with the whole message, as JSON."""
    print_json(rest_api(INGEST, home, url, key).get(f"{PATH}/{quote(id, safe='')}"))


@rejections.command(epilog="Example: csm rejections counts")
def counts(
    as_json: JsonOption = False, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show how many are open, by source and code."""
    rows = rest_api(INGEST, home, url, key).get(f"{PATH}:counts")["counts"]
    table = Table("source", "code", Column("open", justify="right"), "last seen", box=SIMPLE_HEAD)
    for each in rows:
        names = escape(each["source"]), escape(each["code"])
        table.add_row(*names, str(each["rejections"]), moment(each["last_seen_at"]))
    print_rows(rows, table, as_json)


@rejections.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of rejections.")] = None,
    source: Source = None,
    code: Code = None,
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Try so many at most.")] = 1_000,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Try rejections again: those with these ids, of this source, with this code, or all of them.

    Exits 3 when some of them were rejected again.

    Examples:

      csm rejections replay --source webhook/stripe --code invalid_mapping

      csm rejections replay --all --limit 10000
    """
    if not (ids or source or code or every):
        raise InvalidError("Tell which: ids, --source, --code, or --all.")
    asked = {"ids": ids or None, "source": source, "code": code, "all": every, "limit": limit}
    body = {name: value for name, value in asked.items() if value is not None}
    report = rest_api(INGEST, home, url, key).post(f"{PATH}:replay", body)
    if as_json:
        print_json(report)
    else:
        typer.echo(_told(report))
    if report["rejected"]:
        raise typer.Exit(3)


def _table(rows: list[dict[str, Any]]) -> Table:
    folded = [Column(name, overflow="fold") for name in ("source", "code", "why")]
    numbers = [Column("times", justify="right"), Column("id", overflow="fold")]
    table = Table("last seen", *folded, *numbers, box=SIMPLE_HEAD)
    for each in rows:
        texts = [escape(each[name]) for name in ("source", "code", "reason")]
        table.add_row(moment(each["last_seen_at"]), *texts, str(each["times"]), each["id"])
    return table


def _told(report: dict[str, Any]) -> str:
    reasons = ", ".join(f"{count} {code}" for code, count in report["reasons"].items())
    again = f" ({reasons})" if reasons else ""
    return f"{report['replayed']} taken, {report['held']} wait for their account, {report['rejected']} rejected again{again}."
