"""`csm templates` as a person runs it, against the service's routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.notifier.templates.conftest import SCOPES, doors_app
from tests.integration.notifier.templates.test_templates_api import MINE
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually

from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer
from notifier.adapters.templates.parts import TemplateParts


@pytest.fixture
async def home(tmp_path: Path, parts: TemplateParts) -> AsyncIterator[Path]:
    """The home of a stack whose notifier the routes are."""
    stop, port, keys = asyncio.Event(), free_port(), MemoryKeys()
    app = doors_app(parts, ManualClock(), keys)
    server = asyncio.create_task(HttpServer(app, HttpSettings(host="127.0.0.1", port=port)).run(stop))
    await eventually(lambda: accepts(port))
    stack = {"notifier": {"url": f"http://127.0.0.1:{port}"}, "api_key": keys.add(scopes=SCOPES)}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    yield tmp_path
    stop.set()
    await server


async def csm(home: Path, *arguments: str, exits: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "csm_cli.main", "templates", *arguments, "--home", str(home),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == exits, output.decode()
    return output.decode()


async def test_a_template_goes_from_a_file_into_force(home: Path) -> None:
    file = home / "check_in.yaml"
    file.write_text(MINE)
    assert "is valid." in await csm(home, "validate", str(file))
    told = await csm(home, "create", str(file), "--activate", "--note", "shorter")
    assert told == f"{file} is version 2 of check_in.\ncheck_in is in force in version 2.\n"
    assert await csm(home, "show", "check_in", "--version", "2") == MINE
    assert "shorter" in await csm(home, "show", "check_in")
    assert "+title: Mine" in await csm(home, "diff", "check_in", "1", "2")
    assert "check_in is in force in version 1." in await csm(home, "activate", "check_in", "1")
    assert "account_at_risk" in await csm(home, "list")


async def test_a_preview_is_shown_as_text_or_as_a_page(home: Path) -> None:
    assert (await csm(home, "preview", "check_in", "--locale", "de")).startswith(
        "Subject: Funktioniert alles"
    )
    assert (await csm(home, "preview", "check_in", "--html")).startswith("<!doctype html>")
    file = home / "mine.yaml"
    file.write_text(MINE)
    assert "Mine for Example & Sons" in await csm(home, "preview", "check_in", "--file", str(file))


async def test_mistakes_are_told_with_their_places(home: Path) -> None:
    file = home / "check_in.yaml"
    file.write_text(MINE.replace("account.name", "account.nmae"))
    told = await csm(home, "validate", str(file), exits=1)
    assert told == f"{file}:5:35: locales.en.subject: there is no field account.nmae; did you mean name?\n"
