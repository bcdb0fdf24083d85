"""`csm scorecards`: versions of scorecards as files: checked, compared, put in force and taken back."""

from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from csm_cli import versions
from csm_cli.printing import moment, print_json, right, whole
from csm_cli.rest_api import (
    HEALTH,
    HomeOption,
    JsonOption,
    KeyOption,
    UrlOption,
    item_path,
    media_type,
    rest_api,
)
from csm_cli.stack.options import DEFAULT_HOME

PATH = "/v1/scorecards"

scorecards = typer.Typer(
    no_args_is_help=True,
    help="How accounts are judged: check, compare and activate scorecards. Asks the running stack's health-score, or --url's.",
)

Name = Annotated[str, typer.Argument(help="The scorecard's name.")]
Outreach = Annotated[
    bool, typer.Option("--outreach", help="The crossings that this brings may start playbooks.")
]


@scorecards.command("list", epilog="Example: csm scorecards list")
def list_scorecards(
    as_json: JsonOption = False, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show scorecards, those in force first, in the order in which they are asked whether they apply."""
    rows = rest_api(HEALTH, home, url, key).get(PATH)["scorecards"]
    if as_json:
        print_json(rows)
        return
    table = Table(
        whole("name"), *right("active", "newest", "priority"), "applies to", "since", box=SIMPLE_HEAD
    )
    for each in rows:
        numbers = (each["active_version"] or "–", each["newest_version"], each["priority"])
        since = moment(each["active_since"] or "")
        table.add_row(each["name"], *map(str, numbers), escape(each["applies_to"] or "every account"), since)
    Console().print(table)


@scorecards.command(epilog="Example: csm scorecards show default --version 2 > default.yaml")
def show(
    name: Name,
    version: Annotated[
        int | None, typer.Option(min=1, help="Print this version as it was given, not the list of versions.")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a scorecard's versions, or one version as it was given."""
    api, path = rest_api(HEALTH, home, url, key), _path(name)
    if version is not None:
        versions.print_one(api, path, version, as_json)
        return
    found = api.get(path)
    if as_json:
        print_json(found)
        return
    table = Table(*right("version"), "in force", "author", "created", "note", box=SIMPLE_HEAD)
    for each in found["versions"]:
        told = (each["author"], moment(each["created_at"]), each["note"])
        table.add_row(str(each["version"]), _in_force(each), *map(escape, told))
    Console().print(table)


@scorecards.command(epilog="Example: csm scorecards validate mine.yaml")
def validate(
    file: versions.File, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Tell every mistake of a file as FILE:LINE:COLUMN: what is wrong. Keeps nothing; exits 1 when there are any."""
    api = rest_api(HEALTH, home, url, key)
    mistakes = api.send(f"{PATH}:validate", file.read_bytes(), media_type(file))["mistakes"]
    for each in mistakes:
        place = f"{each['path']}: " if each["path"] else ""
        typer.echo(f"{file}:{each['line']}:{each['column']}: {place}{each['message']}")
    if mistakes:
        raise typer.Exit(1)
    typer.echo(f"{file} is valid.")


@scorecards.command(epilog="Example: csm scorecards diff default 1 2")
def diff(
    name: Name,
    before: versions.Before,
    after: versions.After,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what differs between two versions, measure by measure."""
    versions.print_diff(rest_api(HEALTH, home, url, key), _path(name), before, after, as_json)


@scorecards.command(epilog="Example: csm scorecards create mine.yaml --note 'Seats weigh more'")
def create(
    file: versions.File,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a file as the next version of its scorecard. It judges nobody until it is activated."""
    versions.create(rest_api(HEALTH, home, url, key), PATH, file, note)


@scorecards.command(epilog="Example: csm scorecards activate default 2 --note 'Seats weigh more'")
def activate(
    name: Name,
    version: versions.Version,
    note: versions.Note = "",
    outreach: Outreach = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put a version in force: every account it concerns is judged anew, without a stop."""
    body = {"version": version, "note": note, "outreach": outreach}
    _tell(rest_api(HEALTH, home, url, key).post(f"{_path(name)}:activate", body))


@scorecards.command(epilog="Example: csm scorecards rollback default --note 'Too many alarms'")
def rollback(
    name: Name,
    note: versions.Note = "",
    outreach: Outreach = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put the version in force again that was before."""
    body = {"note": note, "outreach": outreach}
    _tell(rest_api(HEALTH, home, url, key).post(f"{_path(name)}:rollback", body))


@scorecards.command(epilog="Example: csm scorecards retire enterprise")
def retire(
    name: Name,
    note: versions.Note = "",
    outreach: Outreach = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Take a scorecard out of force; others judge its accounts."""
    body = {"note": note, "outreach": outreach}
    _tell(rest_api(HEALTH, home, url, key).post(f"{_path(name)}:retire", body))


@scorecards.command(epilog="Example: csm scorecards progress")
def progress(home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Show how far the newest activation has got. Exits 3 while accounts are still judged by an older one."""
    found = rest_api(HEALTH, home, url, key).get("/v1/models")
    far = found["taking_up"]
    judged = far["accounts"] - far["accounts_behind"]
    past = f", partitions {far['refolding']} give new signals their past" if far["refolding"] else ""
    typer.echo(f"Change {found['number']}: {judged} of {far['accounts']} accounts are judged by it{past}.")
    if not found["done"]:
        raise typer.Exit(3)


@scorecards.command(epilog="Example: csm scorecards schema > scorecard.schema.json")
def schema(home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Print the JSON Schema of scorecards, for editors."""
    print_json(rest_api(HEALTH, home, url, key).get(f"{PATH}/schema"))


def _path(name: str) -> str:
    return item_path(PATH, name, "Give the name of a scorecard; `csm scorecards list` shows them.")


def _tell(changed: dict[str, Any]) -> None:
    what = "is retired" if changed["version"] is None else f"is in force in version {changed['version']}"
    if not changed["changed"]:
        typer.echo(f"{changed['name']} {what} already.")
        return
    typer.echo(
        f"{changed['name']} {what} (change {changed['number']}); it concerns {changed['accounts']} accounts."
        " `csm scorecards progress` tells how far it has got."
    )


def _in_force(version: dict[str, Any]) -> str:
    spans = version["in_force"]
    if version["active"]:
        return f"since {moment(spans[-1]['since'])}"
    return f"until {moment(spans[-1]['until'])}" if spans else "never"
