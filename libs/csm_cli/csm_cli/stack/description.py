"""stack.json: what a client needs to know of a running stack."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from csm_cli.stack.child import HOST
from csm_cli.stack.home import Home, write_private
from csm_cli.stack.ports import Ports
from csm_common.errors import InvalidError


def describe(ports: Ports, *, bootstrap: str, admin_dsn: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The content of stack.json but for the pids: where everything is, and the keys to get in."""
    return {
        "ingest": {"url": ports.url("ingest"), "write_key": keys["write_key"]},
        "health_score": {"url": ports.url("health-score")},
        "playbooks": {"url": ports.url("playbooks")},
        "notifier": {"url": ports.url("notifier")},
        "api_key": keys["api_key"],
        "kafka": {"bootstrap": bootstrap},
        "postgres": {"dsn": admin_dsn},
        "mail": {"smtp": f"{HOST}:{ports.smtp}", "url": f"{ports.url('sinks')}/mails"},
        "webhooks": {"url": f"{ports.url('sinks')}/webhooks"},
    }


def publish(home: Home, stack: Mapping[str, Any]) -> None:
    """Write stack.json in one step, readable by its owner alone: it holds keys."""
    write_private(home.stack_file, json.dumps(stack, indent=2) + "\n")


def read(home: Home) -> dict[str, Any] | None:
    """The description of the stack that runs in `home`; None when none is ready."""
    if not home.stack_file.exists():
        return None
    stack: dict[str, Any] = json.loads(home.stack_file.read_text(encoding="utf-8"))
    return stack


def running(home: Path, *, instead: str) -> dict[str, Any]:
    """The description of the stack that runs in `home`; InvalidError when none does, with the options to give `instead`."""
    stack = read(Home(home))
    if stack is None:
        raise InvalidError(f"No stack runs on {home}: start one with `csm up`, or give {instead}.")
    return stack


def summary(stack: Mapping[str, Any], home: Home, now: datetime) -> str:
    """What a person who has just started the stack wants to know, as plain lines."""
    key, url = stack["ingest"]["write_key"], stack["ingest"]["url"]
    event = {
        "specversion": "1.0",
        "id": "first-event",
        "source": "shell",
        "type": "csm.usage.recorded",
        "subject": "acme",
        "time": now.isoformat(timespec="seconds"),
        "data": {"feature": "reports"},
    }
    return f"""
The stack is ready.

  send events    {url}/v1/events
  health         {stack["health_score"]["url"]}/v1/accounts
  playbooks      {stack["playbooks"]["url"]}/v1/runs
  notifications  {stack["notifier"]["url"]}/v1/notifications
  mails sent     {stack["mail"]["url"]}
  webhooks sent  {stack["webhooks"]["url"]}
  keys and more  {home.stack_file}

Send an event:
  curl {url}/v1/events -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/cloudevents+json' \\
    -d '{json.dumps(event)}'

Read the scores:
  curl {stack["health_score"]["url"]}/v1/accounts -H 'Authorization: Bearer {stack["api_key"]}'

Every API is described at URL/docs. `csm status` shows the processes, `csm logs NAME` what they say."""
