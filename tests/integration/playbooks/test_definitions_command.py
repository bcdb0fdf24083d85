"""`csm playbooks` as a person runs it, against the service's routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually

from csm_common.settings import HttpSettings
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.server import HttpServer
from playbooks.adapters.definition_documents import DefinitionDocuments
from playbooks.adapters.definition_schema import definition_schema
from playbooks.adapters.postgres.management import PostgresManagements
from playbooks.application.managing import Managing
from playbooks.application.switching import Switching
from playbooks.entrypoints.definitions_api import create_definitions_router

V1 = """\
name: welcome
title: Welcome
trigger: {threshold: active, direction: entered}
steps:
  - {name: pause, wait: 1d}
"""


@dataclass
class Desk:
    """The routes on a port, a directory with files, and a home whose stack they are."""

    home: Path

    def file(self, text: str, name: str = "welcome.yaml") -> str:
        """A file with this text."""
        (self.home / name).write_text(text, encoding="utf-8")
        return str(self.home / name)

    async def csm(self, *arguments: str, exits: int = 0) -> str:
        """Output of the command."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "csm_cli.main", "playbooks", *arguments, "--home", str(self.home),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == exits, output.decode()
        return output.decode()


@pytest.fixture
async def desk(tmp_path: Path, engine: AsyncEngine) -> AsyncIterator[Desk]:
    """A desk whose door is open."""
    stop, port, keys, clock = asyncio.Event(), free_port(), MemoryKeys(), ManualClock()
    store = PostgresManagements(engine)
    managing, switching = (
        Managing(store, DefinitionDocuments(), [], clock),
        Switching(store, clock, lambda: None),
    )
    app = create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_definitions_router(managing, switching, definition_schema())],
        ready={},
        alive={},
    )
    stack = {"playbooks": {"url": f"http://127.0.0.1:{port}"}, "api_key": keys.add(source="console")}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    serving = asyncio.create_task(HttpServer(app, HttpSettings(port=port)).run(stop))
    await eventually(lambda: accepts(port), what="the door is open")
    yield Desk(tmp_path)
    stop.set()
    await serving


async def test_a_file_is_checked_kept_compared_put_in_force_and_taken_back(desk: Desk) -> None:
    first, second = desk.file(V1), desk.file(V1.replace("1d", "2d"), "two.yaml")
    assert "is valid." in await desk.csm("validate", first, second)
    told = await desk.csm("create", first, "--activate", "--note", "at first")
    assert f"{first} is version 1 of welcome." in told
    assert "welcome is in force in version 1." in told
    await desk.csm("create", second)
    assert await desk.csm("diff", "welcome", "1", "2") == "~ steps.pause.wait: 1d → 2d\n"
    await desk.csm("activate", "welcome", "2")
    assert "in force in version 1. No run" in await desk.csm("rollback", "welcome")
    shown = await desk.csm("show", "welcome", "--version", "2")
    assert "was there already as version 2" in await desk.csm("create", desk.file(shown, "again.yaml"))
    assert "at first" in await desk.csm("show", "welcome")
    assert "active entered" in await desk.csm("list")


async def test_mistakes_are_told_as_places_and_the_command_fails(desk: Desk) -> None:
    file = desk.file(V1.replace("wait: 1d", "wait: 1"))
    told = await desk.csm("validate", file, exits=1)
    assert told == (
        f"{file}:5:25: steps.0.wait: must be a duration such as 2d, or a mapping with time or date, not 1\n"
    )
    assert "answered 400" in await desk.csm("create", file, exits=1)


async def test_one_or_all_are_paused_and_go_on(desk: Desk) -> None:
    await desk.csm("create", desk.file(V1), "--activate")
    assert "welcome is paused." in await desk.csm("pause", "welcome", "--reason", "no")
    assert "paused: no" in await desk.csm("list")
    await desk.csm("resume", "welcome")
    assert "Everything is paused." in await desk.csm("pause", "--all", "--reason", "stop it")
    assert "Everything is paused by key:console: stop it" in await desk.csm("list")
    assert "Everything is active." in await desk.csm("resume", "--all")
    assert "welcome is archived." in await desk.csm("archive", "welcome", "--reason", "over")
    assert "Give the name of a playbook, or --all" in await desk.csm("pause", "--reason", "x", exits=1)
    assert json.loads(await desk.csm("schema"))["title"] == "Playbook"
