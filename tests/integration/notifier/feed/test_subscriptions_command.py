"""`csm subscriptions` as a person runs it, against the service's routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.notifier.channels.receiver import Receiver, said
from tests.integration.notifier.feed.house import House
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually
from tests.unit.notifier.feed.builders import a_snapshot, snapshot_record

from csm_common.settings import HttpSettings
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.server import HttpServer
from notifier.entrypoints.subscriptions_api import subscription_routes


@dataclass
class Shell:
    """The routes on a port, and a home whose stack they are."""

    home: Path

    async def csm(self, *arguments: str, exits: int = 0) -> str:
        """Output of the command."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "csm_cli.main", "subscriptions", *arguments, "--home", str(self.home),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "250"},
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == exits, output.decode()
        return output.decode()

    async def create(self, endpoint: str, *arguments: str) -> dict[str, Any]:
        """A subscription as it is told when it is made."""
        created: dict[str, Any] = json.loads(await self.csm("create", "CRM", endpoint, *arguments))
        return created


@pytest.fixture
async def shell(tmp_path: Path, house: House) -> AsyncIterator[Shell]:
    """Over no subscriptions."""
    stop, port, keys = asyncio.Event(), free_port(), MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, house.clock),
        routers=[subscription_routes(house.desk)],
        ready={},
        alive={},
    )
    server = asyncio.create_task(HttpServer(app, HttpSettings(host="127.0.0.1", port=port)).run(stop))
    await eventually(lambda: accepts(port))
    stack = {"notifier": {"url": f"http://127.0.0.1:{port}"}, "api_key": keys.add(scopes=["*"])}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    yield Shell(tmp_path)
    stop.set()
    await server


async def test_one_is_made_with_filters_from_a_file_and_its_secret_is_told_once(
    shell: Shell, receiver: Receiver, tmp_path: Path
) -> None:
    assert await shell.csm("list") == "There are none.\n"
    filters = tmp_path / "filters.yaml"
    filters.write_text("events: [band]\nsegments: [enterprise]\n", encoding="utf-8")
    made = await shell.create(receiver.url, "--filters", str(filters), "--attribute", "owner")
    assert made["secret"].startswith("whsec_")
    assert (made["filters"]["events"], made["filters"]["segments"]) == (["band"], ["enterprise"])
    assert (made["attributes"], made["include_model_changes"]) == (["owner"], False)
    told = await shell.csm("list") + await shell.csm("show", made["id"])
    assert made["id"] in told
    assert "active" in told
    assert made["secret"] not in told


async def test_a_file_without_filters_is_refused_with_a_sentence(
    shell: Shell, receiver: Receiver, tmp_path: Path
) -> None:
    filters = tmp_path / "filters.yaml"
    filters.write_text("- band\n", encoding="utf-8")
    told = await shell.csm("create", "CRM", receiver.url, "--filters", str(filters), exits=1)
    assert "holds no filters" in told


async def test_a_trial_tells_the_answer_and_fails_where_it_was_not_taken(
    shell: Shell, receiver: Receiver
) -> None:
    made = await shell.create(receiver.url)
    receiver.answers = [said(200, b"thank you"), said(500)]
    told = await shell.csm("test", made["id"])
    assert told.startswith("accepted after ")
    assert told.endswith("thank you\n")
    assert "answered 500" in await shell.csm("test", made["id"], exits=3)


async def test_its_life_disabled_enabled_rotated_deleted(shell: Shell, receiver: Receiver) -> None:
    made = await shell.create(receiver.url)
    id_ = made["id"]
    assert await shell.csm("disable", id_, "--reason", "they move") == "CRM is disabled; 0 wait.\n"
    assert "they move" in await shell.csm("list")
    assert await shell.csm("enable", id_, "--drop") == "CRM is active; 0 are sent now.\n"
    rotated = json.loads(await shell.csm("rotate", id_, "--overlap-h", "1"))
    assert rotated["secret"] not in ("", made["secret"])
    assert await shell.csm("delete", id_) == f"{id_} is deleted.\n"
    assert "There is no subscription" in await shell.csm("show", id_, exits=1)


async def test_deliveries_are_listed_shown_and_sent_again(
    shell: Shell, house: House, receiver: Receiver
) -> None:
    made = await shell.create(receiver.url)
    receiver.answers = [said(400)]
    await house.take(snapshot_record(0, a_snapshot(1, 60.0)))
    await house.take(snapshot_record(1, a_snapshot(2, 40.0)))
    await house.send()
    [failed, *_] = json.loads(await shell.csm("deliveries", made["id"], "--status", "failed", "--json"))
    assert failed["id"] in await shell.csm("deliveries", made["id"])
    detail = json.loads(await shell.csm("deliveries", made["id"], failed["id"]))
    assert [each["code"] for each in detail["attempts"]] == [400]
    assert await shell.csm("replay", made["id"]) == "1 are sent again.\n"
    assert await house.send() == 1
    assert await shell.csm("replay", made["id"], failed["id"]) == "1 are sent again.\n"
