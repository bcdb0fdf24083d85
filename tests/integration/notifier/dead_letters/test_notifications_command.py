"""`csm notifications` as a person runs it, against the service's routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually
from tests.unit.notifier.builders import a_notification
from tests.unit.notifier.fakes import ScriptedChannel

from csm_common.settings import HttpSettings
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.server import HttpServer
from notifier.adapters.dead_letters import dead_letters_on
from notifier.domain.delivery import Answer
from notifier.entrypoints.api import notification_routes
from notifier.entrypoints.dead_letters_api import dead_letter_routes
from notifier.entrypoints.why_api import why_routes


@dataclass
class Shell:
    """The routes on a port, and a home whose stack they are."""

    home: Path

    async def csm(self, *arguments: str, exits: int = 0) -> str:
        """Output of the command."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "csm_cli.main", "notifications", *arguments, "--home", str(self.home),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == exits, output.decode()
        return output.decode()


@pytest.fixture
async def shell(tmp_path: Path, engine: AsyncEngine) -> AsyncIterator[Shell]:
    """Over two messages that were refused."""
    desk = Desk(engine, ScriptedChannel([Answer("refused", "550 no such user", 550)]))
    await desk.take_in(a_notification("n-1"), a_notification("n-2", playbook="renewal"))
    await desk.round()
    stop, port, keys = asyncio.Event(), free_port(), MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, desk.clock),
        routers=[
            notification_routes(desk.open_work),
            why_routes(desk.open_work),
            dead_letter_routes(dead_letters_on(engine), desk.open_work, desk.clock, lambda: None),
        ],
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


async def test_they_are_listed_shown_and_explained(shell: Shell) -> None:
    told = await shell.csm("list", "--playbook", "renewal")
    assert "refused for good: 550 no such user" in told
    assert "n-2" in told
    assert "n-1" not in told
    assert json.loads(await shell.csm("show", "n-1"))["attempts"][0]["code"] == 550
    words = await shell.csm("why", "n-1")
    assert words.startswith("This email about Acme for Kim Park could not be delivered")
    assert words.splitlines() == json.loads(await shell.csm("why", "n-1", "--json"))["words"]


async def test_the_dead_are_listed_and_counted(shell: Shell) -> None:
    assert "refused" in await shell.csm("dead", "--account", "acme")
    assert await shell.csm("dead", "--code", "given_up") == "There are none.\n"
    [count] = json.loads(await shell.csm("dead", "--counts", "--json"))
    assert (count["code"], count["dead_letters"]) == ("refused", 2)


async def test_a_replay_tells_what_came_of_it_and_fails_where_some_were_refused(shell: Shell) -> None:
    asked = ("replay", "--note", "the address is right now")
    assert await shell.csm(*asked, "--playbook", "renewal") == (
        "1 are sent anew, the last one at 2026-03-02 09:00:00 UTC; 0 were under way already, 0 were refused.\n"
    )
    told = await shell.csm(*asked, "n-1", "n-2", "n-3", exits=3)
    assert "1 were under way already, 1 were refused." in told
    assert "n-3: there is no such notification" in told


async def test_it_must_be_told_which(shell: Shell) -> None:
    told = await shell.csm("replay", "--note", "all?", exits=1)
    assert told.startswith("Tell which: ids, or one or more of")
    assert (await shell.csm("replay", "n-1", "--all", "--note", "both", exits=1)).startswith("Tell which")
