"""stack.json and the summary tell a client all it needs."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from csm_cli.stack.description import describe, publish, read, summary
from csm_cli.stack.home import Home
from csm_cli.stack.ports import Ports
from csm_common.contracts.envelope import Envelope

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def stack() -> dict[str, Any]:
    return describe(
        Ports.from_base(7600),
        bootstrap="127.0.0.1:7607",
        admin_dsn="postgresql://postgres:pw@127.0.0.1:7606/csm",
        keys={"write_key": "csm_1_w", "api_key": "csm_2_a"},
    )


def test_the_description_says_where_everything_is(stack: dict[str, Any]) -> None:
    assert stack == {
        "ingest": {"url": "http://127.0.0.1:7600", "write_key": "csm_1_w"},
        "health_score": {"url": "http://127.0.0.1:7601"},
        "playbooks": {"url": "http://127.0.0.1:7602"},
        "notifier": {"url": "http://127.0.0.1:7603"},
        "api_key": "csm_2_a",
        "kafka": {"bootstrap": "127.0.0.1:7607"},
        "postgres": {"dsn": "postgresql://postgres:pw@127.0.0.1:7606/csm"},
        "mail": {"smtp": "127.0.0.1:7605", "url": "http://127.0.0.1:7604/mails"},
        "webhooks": {"url": "http://127.0.0.1:7604/webhooks"},
    }


def test_stack_json_holds_keys_so_only_its_owner_reads_it(stack: dict[str, Any], tmp_path: Path) -> None:
    home = Home(tmp_path)

    publish(home, {**stack, "pids": {"supervisor": 1}})

    assert home.stack_file.stat().st_mode & 0o777 == 0o600
    assert read(home) == {**stack, "pids": {"supervisor": 1}}
    assert list(tmp_path.iterdir()) == [home.stack_file]


def test_where_no_stack_is_ready_there_is_no_description(tmp_path: Path) -> None:
    assert read(Home(tmp_path)) is None


def test_the_summary_s_first_command_sends_a_valid_event(stack: dict[str, Any], tmp_path: Path) -> None:
    lines = summary(stack, Home(tmp_path), NOW).split("Send an event:\n")[1].split("\n\n")[0]

    command = shlex.split(lines.replace("\\\n", " "))

    assert command[:2] == ["curl", "http://127.0.0.1:7600/v1/events"]
    assert "Authorization: Bearer csm_1_w" in command
    event = msgspec.json.decode(command[command.index("-d") + 1], type=Envelope)
    assert (event.subject, event.type, event.time) == ("acme", "csm.usage.recorded", NOW)
