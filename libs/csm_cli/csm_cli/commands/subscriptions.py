"""`csm subscriptions`: who is told of changes of health, whether they answer, and sending what failed again."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
import yaml
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from csm_cli.printing import folded, moment, print_json, print_rows, right, whole
from csm_cli.rest_api import (
    HomeOption,
    JsonOption,
    KeyOption,
    LimitOption,
    RestApi,
    Service,
    UrlOption,
    item_path,
    rest_api,
)
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH = "/v1/subscriptions"
NOTIFIER = Service("Notifier", "notifier", "notifications:read and subscriptions:write")

subscriptions = typer.Typer(
    no_args_is_help=True,
    help="The health change feed: who is told, and what became of it. Asks the running stack's, or --url's.",
)

Id = Annotated[str, typer.Argument(help="The subscription's id, as `csm subscriptions list` shows it.")]


@subscriptions.command("list", epilog="Example: csm subscriptions list")
def list_subscriptions(
    limit: LimitOption = 200,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show subscriptions, the latest first: whether they are active, and how much waits for them."""
    rows = rest_api(NOTIFIER, home, url, key).rows(PATH, "subscriptions", limit)
    numbers = right("waiting", "dropped")
    table = Table(
        folded("name"), "status", folded("why"), *numbers, folded("url"), whole("id"), box=SIMPLE_HEAD
    )
    for each in rows:
        told = (each["name"], each["status"], each["disabled_reason"] or _failing(each))
        counts = (str(each["waiting"]), str(each["dropped"]))
        table.add_row(*map(escape, told), *counts, escape(each["url"]), each["id"])
    print_rows(rows, table, as_json)


@subscriptions.command(epilog="Example: csm subscriptions show sub_5f0c9d1b7a3e4f2a6c8d0e1f")
def show(id: Id, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Show all of one, as JSON: where it goes, what it is told of, how fit its endpoint is."""
    print_json(rest_api(NOTIFIER, home, url, key).get(_path(id)))


@subscriptions.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    endpoint: Annotated[str, typer.Argument(help="Where to post: https, of a public address.")],
    filters: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="What to be told of, as YAML or JSON."),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="Of the account, to go into each message; may be given several times."),
    ] = None,
    model_changes: Annotated[
        bool, typer.Option("--model-changes", help="Tell what a new model did, too.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Tell an endpoint of changes of health. The answer has the secret that signs, this once.

    Examples:

      csm subscriptions create CRM https://crm.example.com/hooks/health

      csm subscriptions create CRM https://crm.example.com/hooks/health --filters filters.yaml --attribute name --attribute owner
    """
    body: dict[str, Any] = {"name": name, "url": endpoint, "include_model_changes": model_changes}
    if filters is not None:
        body["filters"] = _filters(filters)
    if attribute:
        body["attributes"] = attribute
    print_json(rest_api(NOTIFIER, home, url, key).post(PATH, body))


@subscriptions.command("test", epilog="Example: csm subscriptions test sub_5f0c9d1b7a3e4f2a6c8d0e1f")
def try_out(id: Id, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Post a marked event now, and tell how it was answered. Exits 3 when it was not taken."""
    tried = _act(rest_api(NOTIFIER, home, url, key), id, "test")
    typer.echo(f"{tried['outcome']} after {tried['duration_ms']:.0f} ms: {tried['detail']}")
    if tried["said"]:
        typer.echo(tried["said"])
    if tried["outcome"] != "accepted":
        raise typer.Exit(3)


@subscriptions.command(epilog="Example: csm subscriptions rotate sub_5f0c9d1b7a3e4f2a6c8d0e1f --overlap-h 72")
def rotate(
    id: Id,
    overlap_h: Annotated[
        float | None,
        typer.Option(min=0, max=720, help="So many hours the old secrets sign beside it; 24 unless set."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a new secret, told this once; the old ones sign beside it for a while."""
    body = {} if overlap_h is None else {"overlap_h": overlap_h}
    print_json(_act(rest_api(NOTIFIER, home, url, key), id, "rotate", body))


@subscriptions.command(
    epilog="Example: csm subscriptions disable sub_5f0c9d1b7a3e4f2a6c8d0e1f --reason 'They move'"
)
def disable(
    id: Id,
    reason: Annotated[str | None, typer.Option(help="Why: for those who come after you.")] = None,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send nothing more; what waits is kept, and nothing new is added."""
    body = {} if reason is None else {"reason": reason}
    found = _act(rest_api(NOTIFIER, home, url, key), id, "disable", body)
    typer.echo(f"{found['name']} is disabled; {found['waiting']} wait.")


@subscriptions.command(epilog="Example: csm subscriptions enable sub_5f0c9d1b7a3e4f2a6c8d0e1f --drop")
def enable(
    id: Id,
    drop: Annotated[bool, typer.Option("--drop", help="Drop what waits, in place of sending it.")] = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Go on, and send what waits at a limited rate."""
    body = {"waiting": "drop" if drop else "send"}
    found = _act(rest_api(NOTIFIER, home, url, key), id, "enable", body)
    typer.echo(f"{found['name']} is active; {found['waiting']} are sent now.")


@subscriptions.command(epilog="Example: csm subscriptions delete sub_5f0c9d1b7a3e4f2a6c8d0e1f")
def delete(id: Id, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Delete a subscription with its secrets and its deliveries."""
    rest_api(NOTIFIER, home, url, key).delete(_path(id))
    typer.echo(f"{id} is deleted.")


@subscriptions.command()
def deliveries(
    id: Id,
    delivery: Annotated[
        str | None, typer.Argument(help="Show this one, with its body and every attempt.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only those in this status, such as sent, failed or retry.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what a subscription was told, the latest first.

    Examples:

      csm subscriptions deliveries sub_5f0c9d1b7a3e4f2a6c8d0e1f --status failed

      csm subscriptions deliveries sub_5f0c9d1b7a3e4f2a6c8d0e1f 0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11
    """
    api = rest_api(NOTIFIER, home, url, key)
    path = f"{_path(id)}/deliveries"
    if delivery is not None:
        print_json(api.get(f"{path}/{quote(delivery, safe='')}"))
        return
    rows = api.rows(path, "deliveries", limit, status=status)
    table = Table(
        "made",
        "type",
        folded("account"),
        "status",
        folded("why"),
        *right("tries"),
        whole("id"),
        box=SIMPLE_HEAD,
    )
    for each in rows:
        told = (each["type"], each["account_id"], each["status"], each["reason"] or "")
        table.add_row(moment(each["created_at"]), *map(escape, told), str(each["attempt_count"]), each["id"])
    print_rows(rows, table, as_json)


@subscriptions.command()
def replay(
    id: Id,
    delivery: Annotated[str | None, typer.Argument(help="This one alone, whatever became of it.")] = None,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send what failed again, under the same ids, at a limited rate.

    Examples:

      csm subscriptions replay sub_5f0c9d1b7a3e4f2a6c8d0e1f

      csm subscriptions replay sub_5f0c9d1b7a3e4f2a6c8d0e1f 0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11
    """
    which = "" if delivery is None else f"/deliveries/{quote(delivery, safe='')}"
    report = rest_api(NOTIFIER, home, url, key).post(f"{_path(id)}{which}:replay", {})
    typer.echo(f"{report['replayed']} are sent again.")


def _act(api: RestApi, id: str, action: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return api.post(f"{_path(id)}:{action}", body or {})


def _path(id: str) -> str:
    return item_path(PATH, id, "Give the id of a subscription; `csm subscriptions list` shows them.")


def _filters(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} is neither YAML nor JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidError(
            f"{file} holds no filters; write members such as `events: [band]` or `min_change: 5`."
        )
    told: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return told


def _failing(each: dict[str, Any]) -> str:
    return f"failing since {moment(each['failing_since'])}" if each["failing_since"] else ""
