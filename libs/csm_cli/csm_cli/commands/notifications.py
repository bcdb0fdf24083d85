"""`csm notifications`: what was sent to whom and what was not, why, and sending dead letters anew once the cause is mended."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from csm_cli.printing import folded, moment, print_json, print_rows, right, whole
from csm_cli.rest_api import (
    NOTIFIER,
    HomeOption,
    JsonOption,
    KeyOption,
    LimitOption,
    UrlOption,
    item_path,
    rest_api,
)
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH, DEAD = "/v1/notifications", "/v1/dead-letters"

notifications = typer.Typer(
    no_args_is_help=True,
    help="Messages: what became of them and why; dead letters, and sending them anew. Asks the running stack's, or --url's.",
)

Id = Annotated[str, typer.Argument(help="The notification's id, as `csm notifications list` shows it.")]
Account = Annotated[str | None, typer.Option(help="Only those about this account.")]
Channel = Annotated[str | None, typer.Option(help="Only those by email, slack, teams or webhook.")]
Playbook = Annotated[str | None, typer.Option(help="Only those a playbook of this name asked for.")]
Code = Annotated[
    str | None,
    typer.Option(
        help="Only those that died of this: refused, given_up, no_recipient, no_channel, template, unknown."
    ),
]


@notifications.command("list")
def list_notifications(
    account: Account = None,
    status: Annotated[
        str | None, typer.Option(help="Only those in this status, such as sent, held, failed or capped.")
    ] = None,
    channel: Channel = None,
    playbook: Playbook = None,
    run: Annotated[str | None, typer.Option(help="Only those of this run.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show notifications, the latest first.

    Examples:

      csm notifications list --account acme

      csm notifications list --status held --json | jq '.[].reason'
    """
    wanted = {"account": account, "status": status, "channel": channel, "playbook": playbook, "run": run}
    rows = rest_api(NOTIFIER, home, url, key).rows(PATH, "notifications", limit, **wanted)
    about = [folded("account"), folded("playbook")]
    table = Table("asked for", *about, "channel", "status", folded("why"), whole("id"), box=SIMPLE_HEAD)
    for each in rows:
        texts = (each["account_id"], each["playbook"], each["channel"], each["status"], each["reason"] or "")
        table.add_row(moment(each["requested_at"]), *map(escape, texts), each["id"])
    print_rows(rows, table, as_json)


@notifications.command(epilog="Example: csm notifications show 3f0e0c4b-6c0f-5b7e-9d39-1f4ac5f0d6a2")
def show(id: Id, home: HomeOption = DEFAULT_HOME, url: UrlOption = None, key: KeyOption = None) -> None:
    """Show all that is known of one, as JSON: whom it was for, what the contact policy said, every attempt."""
    print_json(rest_api(NOTIFIER, home, url, key).get(_path(id)))


@notifications.command(epilog="Example: csm notifications why 3f0e0c4b-6c0f-5b7e-9d39-1f4ac5f0d6a2")
def why(
    id: Id,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Tell why there is a message: back over its step, its run and the crossing to the very events."""
    found = rest_api(NOTIFIER, home, url, key).get(f"{_path(id)}/why")
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(found["words"]))


@notifications.command()
def dead(
    account: Account = None,
    channel: Channel = None,
    playbook: Playbook = None,
    code: Code = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="How many there are, by channel and code.")
    ] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show dead letters, the latest first: messages that failed, reached nobody, or may have been lost.

    Examples:

      csm notifications dead --counts

      csm notifications dead --code refused --channel email
    """
    api = rest_api(NOTIFIER, home, url, key)
    wanted = {"account": account, "channel": channel, "playbook": playbook, "code": code}
    if counts:
        rows = api.get(f"{DEAD}:counts", **wanted)["counts"]
        print_rows(rows, _counts(rows), as_json)
        return
    rows = api.rows(DEAD, "dead_letters", limit, **wanted)
    about = [folded("account"), folded("playbook")]
    table = Table(
        "asked for", *about, "channel", "code", folded("why"), *right("tries"), whole("id"), box=SIMPLE_HEAD
    )
    for each in rows:
        texts = (each["account_id"], each["playbook"], each["channel"], each["code"], each["reason"] or "")
        tries = str(each["attempts"])
        table.add_row(moment(each["requested_at"]), *map(escape, texts), tries, each["id"])
    print_rows(rows, table, as_json)


@notifications.command()
def replay(
    note: Annotated[str, typer.Option(help="Why: for those who come after you.")],
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    account: Account = None,
    channel: Channel = None,
    playbook: Playbook = None,
    code: Code = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    per_second: Annotated[float, typer.Option(min=0.01, max=50.0, help="How many a second.")] = 1.0,
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S%z"],
            help="A new expiry, for those that have expired: 2026-03-09T18:00:00Z.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Send so many at most.")] = 1_000,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send dead letters anew, under the same ids: those with these ids, those that all options fit, or all of them.

    The contact policy decides again as each goes. Exits 3 when some of them were refused.

    Examples:

      csm notifications replay --code given_up --channel email --per-second 5 --note 'The mail server is back'

      csm notifications replay 3f0e0c4b-6c0f-5b7e-9d39-1f4ac5f0d6a2 --expires-at 2026-03-09T18:00:00Z --note 'Still true'
    """
    chosen = {"account": account, "channel": channel, "playbook": playbook, "code": code}
    which = {name: value for name, value in chosen.items() if value is not None}
    if (bool(ids), bool(which), every).count(True) != 1:
        raise InvalidError(
            "Tell which: ids, or one or more of --account, --channel, --playbook and --code, or --all."
        )
    body: dict[str, Any] = {"ids": ids} if ids else {"filter": which, "limit": limit}
    body |= {"note": note, "per_second": per_second}
    if expires_at is not None:
        body["expires_at"] = expires_at.isoformat()
    report = rest_api(NOTIFIER, home, url, key).post(f"{DEAD}:replay", body)
    if as_json:
        print_json(report)
    else:
        typer.echo(_told(report))
    if report["refused"]:
        raise typer.Exit(3)


def _path(id: str) -> str:
    return item_path(PATH, id, "Give the id of a notification; `csm notifications list` shows them.")


def _counts(rows: list[dict[str, Any]]) -> Table:
    table = Table("channel", "code", *right("dead letters"), "oldest", "newest", box=SIMPLE_HEAD)
    for each in rows:
        times = moment(each["oldest_at"]), moment(each["newest_at"])
        table.add_row(each["channel"], each["code"], str(each["dead_letters"]), *times)
    return table


def _told(report: dict[str, Any]) -> str:
    last = f", the last one at {moment(report['last_at'])} UTC" if report["replayed"] else ""
    lines = [
        f"{report['replayed']} are sent anew{last}; {report['waiting']} were under way already,"
        f" {len(report['refused'])} were refused."
    ]
    lines += [f"{each['id']}: {each['why']}" for each in report["refused"]]
    if report["more"]:
        lines.append("There are more: ask again for the rest.")
    return "\n".join(lines)
