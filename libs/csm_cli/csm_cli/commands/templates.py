"""`csm templates`: message templates as files: checked, compared, put in force, and looked at before anybody gets one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from csm_cli import versions
from csm_cli.printing import folded, moment, print_json, right, whole
from csm_cli.rest_api import (
    HomeOption,
    JsonOption,
    KeyOption,
    RestApi,
    Service,
    UrlOption,
    item_path,
    rest_api,
)
from csm_cli.stack.options import DEFAULT_HOME

PATH = "/v1/templates"
NOTIFIER = Service("Notifier", "notifier", "notifications:read and templates:write")

templates = typer.Typer(
    no_args_is_help=True,
    help="What messages say: check, compare, activate and preview templates. Asks the running stack's, or --url's.",
)

Name = Annotated[str, typer.Argument(help="The template's name.")]


@templates.command("list", epilog="Example: csm templates list")
def list_templates(
    as_json: JsonOption = False, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show all templates and partials, and what is in force of them."""
    rows = rest_api(NOTIFIER, home, url, key).get(PATH)["templates"]
    if as_json:
        print_json(rows)
        return
    table = Table(
        whole("name"),
        "kind",
        "layout",
        "languages",
        *right("active", "newest"),
        "from",
        folded("title"),
        box=SIMPLE_HEAD,
    )
    for each in rows:
        numbers = (str(each["active_version"] or "–"), str(each["newest_version"]))
        told = (each["name"], each["kind"], each["layout"] or "–", ", ".join(each["locales"]))
        table.add_row(*told, *numbers, each["origin"], escape(each["title"]))
    Console().print(table)


@templates.command(epilog="Example: csm templates show check_in --version 2 > check_in.yaml")
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
    """Show a template's versions, or one version as a file."""
    api, path = rest_api(NOTIFIER, home, url, key), _path(name)
    if version is not None:
        versions.print_one(api, path, version, as_json)
        return
    found = api.get(f"{path}/versions")
    if as_json:
        print_json(found)
        return
    table = Table(*right("version"), "in force", "author", "created", "note", box=SIMPLE_HEAD)
    for each in found["versions"]:
        told = (each["author"], moment(each["created_at"]), each["note"])
        table.add_row(str(each["version"]), "yes" if each["active"] else "", *map(escape, told))
    Console().print(table)


@templates.command(epilog="Example: csm templates validate templates/*.yaml")
def validate(
    files: versions.Files, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Tell every mistake of files as FILE:LINE:COLUMN: what is wrong. Keeps nothing; exits 1 when there are any."""
    versions.validate(rest_api(NOTIFIER, home, url, key), PATH, files)


@templates.command(epilog="Example: csm templates diff check_in 1 2")
def diff(
    name: Name,
    before: versions.Before,
    after: versions.After,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what differs between two versions, line by line."""
    versions.print_diff(rest_api(NOTIFIER, home, url, key), _path(name), before, after)


@templates.command(epilog="Example: csm templates create check_in.yaml --activate --note 'Shorter'")
def create(
    file: versions.File,
    activate: versions.Activate = False,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Keep a file as the next version of its template. Nothing is sent by it until it is activated."""
    api = rest_api(NOTIFIER, home, url, key)
    name, version = versions.create(api, PATH, file, note)
    if activate:
        _activate(api, name, version, note)


@templates.command(epilog="Example: csm templates activate check_in 2 --note 'Shorter'")
def activate(
    name: Name,
    version: versions.Version,
    note: versions.Note = "",
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Put a version in force: within a second every message is rendered by it."""
    _activate(rest_api(NOTIFIER, home, url, key), name, version, note)


@templates.command(epilog="Example: csm templates preview check_in --locale de --html > check_in.html")
def preview(
    name: Name,
    locale: Annotated[str | None, typer.Option(help="The reader's language, such as de or de-AT.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="Else the one in force.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A YAML file that is not saved yet.")
    ] = None,
    notification: Annotated[str | None, typer.Option(help="Show it as this notification's.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Print the page for a browser.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what somebody would get, with a sample or with a notification's own data."""
    body: dict[str, Any] = {"locale": locale, "version": version, "notification_id": notification}
    if file is not None:
        body["source"] = file.read_text(encoding="utf-8")
    seen = rest_api(NOTIFIER, home, url, key).post(f"{_path(name)}:preview", body)
    if as_json:
        print_json(seen)
    elif html:
        typer.echo(seen["html"] or "", nl=False)
    else:
        typer.echo(f"Subject: {seen['subject']}\n\n{seen['text']}", nl=False)


def _path(name: str) -> str:
    return item_path(PATH, name, "Give the name of a template; `csm templates list` shows them.")


def _activate(api: RestApi, name: str, version: int, note: str) -> None:
    changed = api.post(f"{_path(name)}:activate", {"version": version, "note": note})
    already = "" if changed["changed"] else " already"
    typer.echo(f"{changed['name']} is in force in version {changed['version']}{already}.")
