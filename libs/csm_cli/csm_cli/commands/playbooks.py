"""`csm playbooks`: versions of playbooks as files: checked, compared, put in force and taken back; pausing, one or all."""

from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from csm_cli import versions
from csm_cli.printing import folded, moment, print_json, right, whole
from csm_cli.rest_api import (
    PLAYBOOKS,
    HomeOption,
    JsonOption,
    KeyOption,
    RestApi,
    UrlOption,
    item_path,
    rest_api,
)
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH = "/v1/playbooks"

playbooks = typer.Typer(
    no_args_is_help=True,
    help="What is done for accounts: check, compare, activate and pause playbooks. Asks the running stack's, or --url's.",
)

Name = Annotated[str, typer.Argument(help="The playbook's name.")]
MaybeName = Annotated[str | None, typer.Argument(help="The playbook's name; not with --all.")]
Why = Annotated[str, typer.Option(help="Why: it is shown wherever somebody asks why nothing happens.")]
All = Annotated[bool, typer.Option("--all", help="Everything at once; playbooks keep switches of their own.")]


@playbooks.command("list", epilog="Example: csm playbooks list")
def list_playbooks(
    as_json: JsonOption = False, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show all playbooks: what starts them, what is in force, and how many runs are under way."""
    api = rest_api(PLAYBOOKS, home, url, key)
    rows, engine = api.get(PATH)["playbooks"], api.get("/v1/engine")
    if as_json:
        print_json(rows)
        return
    names = ("active", "newest", "priority", "runs")
    table = Table(
        whole("name"),
        whole("state"),
        folded("starts when"),
        *right(*names),
        folded("purpose"),
        box=SIMPLE_HEAD,
    )
    for each in rows:
        starts = f"{each['trigger']['threshold']} {each['trigger']['direction']}"
        numbers = (
            each["active_version"] or "–",
            each["newest_version"],
            each["priority"],
            each["runs_in_flight"],
        )
        table.add_row(each["name"], _state(each), starts, *map(str, numbers), each["purpose"])
    Console().print(table)
    if engine["state"] == "paused":
        typer.echo(f"Everything is paused by {engine['actor']}: {engine['reason']}")


@playbooks.command(epilog="Example: csm playbooks show usage_falling --version 2 > usage_falling.yaml")
def show(
    name: Name,
    version: Annotated[
        int | None, typer.Option(min=1, help="Print this version as a file, not the list of versions.")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a playbook's versions, or one version as a file."""
    api, path = rest_api(PLAYBOOKS, home, url, key), _path(name)
    if version is not None:
        versions.print_one(api, path, version, as_json)
        return
    found = api.get(path)
    if as_json:
        print_json(found)
        return
    table = Table(*right("version"), "in force", *right("runs"), "author", "created", "note", box=SIMPLE_HEAD)
    for each in found["versions"]:
        told = (each["author"], moment(each["created_at"]), each["note"])
        table.add_row(str(each["version"]), _in_force(each), str(each["runs_in_flight"]), *map(escape, told))
    Console().print(f"{escape(found['title'])}: {_state(found)}", table)


@playbooks.command(epilog="Example: csm playbooks validate playbooks/*.yaml")
def validate(
    files: versions.Files, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Tell every mistake of files as FILE:LINE:COLUMN: what is wrong. Keeps nothing; exits 1 when there are any."""
    versions.validate(rest_api(PLAYBOOKS, home, url, key), PATH, files)


@playbooks.command(epilog="Example: csm playbooks diff usage_falling 1 2")
def diff(
    name: Name,
    before: versions.Before,
    after: versions.After,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what differs between two versions, member by member."""
    versions.print_diff(rest_api(PLAYBOOKS, home, url, key), _path(name), before, after, as_json)


@playbooks.command(epilog="Example: csm playbooks create mine.yaml --activate --note 'Two days are enough'")
def create(
    file: versions.File,
    activate: versions.Activate = False,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a file as the next version of its playbook. It starts nothing until it is activated."""
    api = rest_api(PLAYBOOKS, home, url, key)
    name, version = versions.create(api, PATH, file, note)
    if activate:
        _activate(api, name, version, note)


@playbooks.command(epilog="Example: csm playbooks activate usage_falling 2 --note 'Two days are enough'")
def activate(
    name: Name,
    version: versions.Version,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put a version in force: it starts the runs from now on; those in flight stay on theirs."""
    _activate(rest_api(PLAYBOOKS, home, url, key), name, version, note)


@playbooks.command(epilog="Example: csm playbooks rollback usage_falling --note 'Too many mails'")
def rollback(
    name: Name,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put the version in force again that was before."""
    _tell(rest_api(PLAYBOOKS, home, url, key).post(f"{_path(name)}:rollback", {"note": note}))


@playbooks.command(epilog="Example: csm playbooks pause usage_falling --reason 'A wrong template'")
def pause(
    reason: Why,
    name: MaybeName = None,
    everything: All = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Start nothing of it and take no step, until it is resumed; with --all of nothing."""
    _switch(rest_api(PLAYBOOKS, home, url, key), _switched(name, everything), "pause", reason)


@playbooks.command(epilog="Example: csm playbooks resume --all")
def resume(
    name: MaybeName = None,
    everything: All = False,
    reason: Why = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Go on, paused or archived as it was. What has become due meanwhile is taken up."""
    _switch(rest_api(PLAYBOOKS, home, url, key), _switched(name, everything), "resume", reason)


@playbooks.command(epilog="Example: csm playbooks archive usage_falling --reason 'Replaced by adoption'")
def archive(
    name: Name, reason: Why, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Start nothing of it any more; runs that are under way are finished."""
    _switch(rest_api(PLAYBOOKS, home, url, key), _path(name), "archive", reason)


@playbooks.command(epilog="Example: csm playbooks schema > playbook.schema.json")
def schema(home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Print the JSON Schema of playbooks, for editors."""
    print_json(rest_api(PLAYBOOKS, home, url, key).get(f"{PATH}/schema"))


def _path(name: str) -> str:
    return item_path(PATH, name, "Give the name of a playbook; `csm playbooks list` shows them.")


def _switched(name: str | None, everything: bool) -> str:
    if everything == bool(name):
        raise InvalidError("Give the name of a playbook, or --all; `csm playbooks list` shows them.")
    return "/v1/engine" if everything else _path(name or "")


def _switch(api: RestApi, path: str, verb: str, reason: str) -> None:
    thrown = api.post(f"{path}:{verb}", {"reason": reason})
    what = "Everything" if thrown["name"] == "*" else thrown["name"]
    already = "" if thrown["changed"] else " already"
    typer.echo(f"{what} is {thrown['state']}{already}. {thrown['told']}")


def _activate(api: RestApi, name: str, version: int, note: str) -> None:
    _tell(api.post(f"{_path(name)}:activate", {"version": version, "note": note}))


def _tell(changed: dict[str, Any]) -> None:
    already = "" if changed["changed"] else " already"
    typer.echo(f"{changed['name']} is in force in version {changed['version']}{already}. {changed['told']}")


def _state(shown: dict[str, Any]) -> str:
    return escape(f"{shown['state']}: {shown['reason']}" if shown["reason"] else str(shown["state"]))


def _in_force(version: dict[str, Any]) -> str:
    times = version["in_force"]
    if version["active"]:
        return f"since {moment(times[-1]['at'])}" if times else "yes"
    return f"from {moment(times[-1]['at'])}" if times else "never"
