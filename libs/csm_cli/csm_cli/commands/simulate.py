"""`csm simulate`: what a playbook would do with an account, or would have done with the past; nothing is changed."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from csm_cli.printing import moment, print_json
from csm_cli.rest_api import PLAYBOOKS, HomeOption, JsonOption, KeyOption, RestApi, UrlOption, rest_api
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError

PATH = "/v1/playbooks"

HISTORY_TIMEOUT_S = 900.0
"""The largest past takes minutes."""

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

Playbook = Annotated[
    str, typer.Argument(help="A file (NAME.yaml, NAME.json), or the name of a stored playbook.")
]
Account = Annotated[
    str | None, typer.Option(help="Take this account as it is known; without it one is made up.")
]
Snapshot = Annotated[
    str, typer.Option(help="How the account is, or differs from what is known, as JSON: '{\"score\": 40}'.")
]
At = Annotated[
    str | None, typer.Option(help="The pretended start, as in 2026-03-02T09:00:00Z; now without it.")
]
For = Annotated[str, typer.Option("--for", help="How long to play on: 4h, 14d, 12w.")]
Since = Annotated[
    str | None, typer.Option(help="Play the crossings of so long ago until now instead: 24h, 30d, 4w.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="With --since: at most so many crossings.")]
Version = Annotated[int | None, typer.Option(min=1, help="Of a stored playbook; the active one without it.")]
Force = Annotated[bool, typer.Option("--force", help="Enter whatever the audience, holdout and limits say.")]
WithRuns = Annotated[bool, typer.Option("--with-runs", help="Begin with the account's runs as they are.")]
WithOthers = Annotated[
    bool, typer.Option("--with-others", help="The other active playbooks are in force, too.")
]


def simulate(
    playbook: Playbook,
    account: Account = None,
    snapshot: Snapshot = "{}",
    at: At = None,
    for_: For = "90d",
    since: Since = None,
    limit: Limit = 10_000,
    version: Version = None,
    force: Force = False,
    with_runs: WithRuns = False,
    with_others: WithOthers = False,
    as_json: JsonOption = False,
    home: HomeOption = DEFAULT_HOME,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what a playbook would do with an account step by step, or, with --since, what it would have done with the past.

    Nothing is sent, written or changed.
    """
    api = rest_api(PLAYBOOKS, home, url, key)
    if since is not None:
        past = {**_past(playbook, version, since, limit), "with_others": with_others}
        found = api.post(f"{PATH}:simulate-history", past, HISTORY_TIMEOUT_S)
    else:
        asked = {"account_id": account, "snapshot": _json(snapshot), "at": at, "for": for_, "force": force}
        found = _walk(api, playbook, version, {**asked, "with_runs": with_runs, "with_others": with_others})
    if as_json:
        print_json(found)
    elif since is not None:
        _show_history(found)
    else:
        _show_walk(found)


def _walk(api: RestApi, playbook: str, version: int | None, asked: dict[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in asked.items() if value is not None}
    written = _definition(playbook)
    if written is not None:
        return api.post(f"{PATH}:simulate", {**body, "definition": written})
    chosen = "" if version is None else f"?version={version}"
    return api.post(f"{PATH}/{quote(playbook, safe='')}:simulate{chosen}", body)


def _past(playbook: str, version: int | None, since: str, limit: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    written = _definition(playbook)
    which = {"definition": written} if written is not None else {"name": playbook, "version": version}
    return {**which, "from": (now - _length(since)).isoformat(), "to": now.isoformat(), "limit": limit}


def _definition(playbook: str) -> Any:
    """What a file says; None where it is a name."""
    file = Path(playbook)
    if file.suffix not in (".yaml", ".yml", ".json"):
        return None
    if not file.is_file():
        raise InvalidError(f"There is no file {playbook}; a stored playbook is named without an ending.")
    text = file.read_text(encoding="utf-8")
    return _json(text) if file.suffix == ".json" else text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidError(f"This is not JSON: {error}.") from error


def _length(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if found is None:
        raise InvalidError(f"{text!r} is not a length of time: write 24h, 30d or 4w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _show_walk(found: dict[str, Any]) -> None:
    console = Console()
    version = f"version {found['version']}" if found["version"] else "as it is written"
    console.print(f"{found['playbook']} {version} for {escape(found['account_id'])}")
    for each in found["entries"]:
        if each["outcome"] != "started":
            console.print(
                f"{moment(each['at'])}  not entered ({each['code']}): {escape(each['reason'] or '')}"
            )
    for run in found["runs"]:
        table = Table("when (UTC)", "step", "what", box=SIMPLE_HEAD)
        for each in run["timeline"]:
            because = "".join(f"\n[dim]{escape(why)}[/dim]" for why in each["because"])
            table.add_row(moment(each["at"]), each["step"] or each["what"], escape(each["told"]) + because)
        console.print(table)
    if found["messages"]:
        table = Table(
            "when (UTC)", "step", "template", "to", box=SIMPLE_HEAD, title="messages", title_justify="left"
        )
        for each in found["messages"]:
            to = ", ".join(who["value"] or who["kind"] for who in each["recipients"])
            table.add_row(moment(each["requested_at"]), each["step"], each["template"], escape(to))
        console.print(table)
    _show_notes(console, found)


def _show_history(found: dict[str, Any]) -> None:
    console = Console()
    console.print(
        f"{found['playbook']} over {found['crossings']} crossings of {found['accounts']} accounts,"
        f" {moment(found['since'])} to {moment(found['until'])}"
        + ("" if found["complete"] else " (cut short by --limit)")
    )
    refused = ", ".join(f"{count} {code}" for code, count in found["refused"].items()) or "none"
    console.print(f"entered {found['entered']}, held out {found['held_out']}, refused: {refused}")
    for title, counts in (("runs", found["runs"]), ("ended by", found["ended_by"])):
        told = "; ".join(f"{count} {each}" for each, count in counts.items())
        console.print(f"{title}: {escape(told) or 'none'}")
    for what, peak in (("starts", found["peak_starts"]), ("messages", found["peak_messages"])):
        if peak is not None:
            console.print(f"most {what} in an hour: {peak['count']} from {moment(peak['hour'])}")
    if found["asked"]:
        table = Table("step", "kind", "what", "count", "most in an hour", box=SIMPLE_HEAD)
        for each in found["asked"]:
            peak = f"{each['peak']['count']} from {moment(each['peak']['hour'])}"
            table.add_row(each["step"], each["kind"], escape(each["what"]), str(each["count"]), peak)
        console.print(table)
    if found["first"]:
        table = Table(
            "entered (UTC)",
            "account",
            "became",
            box=SIMPLE_HEAD,
            title="first entrances",
            title_justify="left",
        )
        for each in found["first"]:
            became = each["status"] + (f": {each['reason']}" if each["reason"] else "")
            table.add_row(moment(each["at"]), escape(each["account_id"]), escape(became))
        console.print(table)
    _show_notes(console, found)


def _show_notes(console: Console, found: dict[str, Any]) -> None:
    for each in found["notes"]:
        console.print(f"Note: {escape(each)}")
