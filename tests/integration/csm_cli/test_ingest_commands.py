"""`csm rejections` and `csm imports` as a person runs them, against ingest's routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually
from tests.unit.ingest.bulk_door import BulkDoor
from tests.unit.ingest.imports.test_run import lines
from tests.unit.ingest.rejections.lists_contract import a_rejection

from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer
from ingest.application.replays import Selection


@dataclass
class Desk:
    """The routes on a port, and a home whose stack they are."""

    home: Path
    door: BulkDoor = field(default_factory=BulkDoor)

    async def csm(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the command."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "csm_cli.main", *arguments, "--home", str(self.home),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose door is open."""
    desk, stop, port = Desk(tmp_path), asyncio.Event(), free_port()
    key = desk.door.client.headers["authorization"].removeprefix("Bearer ")
    stack = {"ingest": {"url": f"http://127.0.0.1:{port}"}, "api_key": key}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    serving = asyncio.create_task(HttpServer(desk.door.app, HttpSettings(port=port)).run(stop))
    await eventually(lambda: accepts(port), what="the door is open")
    yield desk
    stop.set()
    await serving


async def test_rejections_are_listed_and_shown(desk: Desk) -> None:
    await desk.door.rejections.add(
        [a_rejection(str(number)) for number in range(120)]
        + [a_rejection("odd", reason="[red]odd[/]", source="app")]
    )

    code, table = await desk.csm("rejections", "list", "--source", "app")
    assert code == 0
    assert "[red]odd[/]" in table
    assert "7 is wrong" not in table

    _, listed = await desk.csm("rejections", "list", "--limit", "115", "--json")
    rows = json.loads(listed)
    assert len({each["id"] for each in rows}) == 115
    _, shown = await desk.csm("rejections", "show", rows[0]["id"])
    assert json.loads(shown) == rows[0]

    _, counts = await desk.csm("rejections", "counts")
    assert "120" in counts
    assert await desk.csm("rejections", "list", "--code", "none") == (0, "There are none.\n")


async def test_rejections_are_tried_again(desk: Desk) -> None:
    code, told = await desk.csm("rejections", "replay", "--source", "crm", "--limit", "7")

    assert (code, told) == (3, "2 taken, 1 wait for their account, 1 rejected again (1 invalid_json).\n")
    assert desk.door.replays.asked == [(Selection((), "crm", None), 7)]
    code, told = await desk.csm("rejections", "replay")
    assert (code, told) == (1, "Tell which: ids, --source, --code, or --all.\n")


async def test_imports_are_listed_and_shown(desk: Desk) -> None:
    body = lines(3) + "{\n"
    await desk.door.client.post("/v1/imports", params={"id": "march"}, content=body)
    await desk.door.client.post("/v1/imports", params={"id": "april"}, content="[]")

    code, table = await desk.csm("imports", "list")
    assert code == 0
    assert "march" in table
    assert "failed" in table
    code, shown = await desk.csm("imports", "show", "march")
    assert code == 0
    assert "1 invalid_json" in shown
    code, shown = await desk.csm("imports", "show", "april")
    assert code == 1
    assert "JSON array" in shown
    _, listed = await desk.csm("imports", "list", "--json")
    assert [each["id"] for each in json.loads(listed)] == ["march", "april"]


async def test_refusals_are_one_sentence(desk: Desk, tmp_path: Path) -> None:
    code, told = await desk.csm("imports", "show", "no/thing?")
    assert code == 1
    assert "404" in told or "422" in told
    assert told.count("\n") == 1

    nobody = f"http://127.0.0.1:{free_port()}"
    code, told = await desk.csm("imports", "list", "--url", nobody, "--key", "csm_a_b")
    assert (code, told.startswith(f"Ingest at {nobody} does not answer")) == (1, True)

    code, told = await desk.csm("imports", "list", "--key", "csm_wrong_key")
    assert code == 1
    assert "Give a valid API key." in told

    (tmp_path / "stack.json").unlink()
    code, told = await desk.csm("rejections", "counts")
    assert code == 1
    assert "start one with `csm up`" in told
