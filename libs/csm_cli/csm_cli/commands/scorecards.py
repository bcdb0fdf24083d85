"""`csm scorecards`: versions of scorecards as files: checked, compared, put in force and taken back."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from csm_cli.printing import moment, print_json, right, whole
from csm_cli.rest_api import HEALTH, HomeOption, JsonOption, KeyOption, UrlOption, media_type, rest_api
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH = "/v1/scorecards"

scorecards = typer.Typer(
    no_args_is_help=True,
    help="How accounts are judged: check, compare and activate scorecards. Asks the running stack's health-score, or --url's.",
)

Name = Annotated[str, typer.Argument(help="The scorecard's name.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="YAML or JSON.")]
Note = Annotated[str, typer.Option(help="Why: for those who come after you.")]
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
    if version is not None and not as_json:
        typer.echo(api.text(f"{path}/versions/{version}", format="yaml"), nl=False)
        return
    found = api.get(path if version is None else f"{path}/versions/{version}")
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
    file: File, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
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
    before: Annotated[int, typer.Argument(min=1, help="A version.")],
    after: Annotated[int, typer.Argument(min=1, help="Another one.")],
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what differs between two versions, measure by measure."""
    found = rest_api(HEALTH, home, url, key).get(f"{_path(name)}/diff", **{"from": before, "to": after})
    if as_json:
        print_json(found)
    else:
        typer.echo(found["text"] or "They say the same.")


@scorecards.command(epilog="Example: csm scorecards create mine.yaml --note 'Seats weigh more'")
def create(
    file: File,
    note: Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a file as the next version of its scorecard. It judges nobody until it is activated."""
    api = rest_api(HEALTH, home, url, key)
    made = api.send(PATH, file.read_bytes(), media_type(file), note=note)
    told = "is" if made["created"] else "was there already as"
    typer.echo(f"{file} {told} version {made['version']} of {made['name']}.")


@scorecards.command(epilog="Example: csm scorecards activate default 2 --note 'Seats weigh more'")
def activate(
    name: Name,
    version: Annotated[int, typer.Argument(min=1, help="Which version.")],
    note: Note = "",
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
    note: Note = "",
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
    note: Note = "",
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
    if not name:
        raise InvalidError("Give the name of a scorecard; `csm scorecards list` shows them.")
    return f"{PATH}/{quote(name, safe='')}"


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
