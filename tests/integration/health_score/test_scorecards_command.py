"""`csm scorecards` as a person runs it, against the routes on a port."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from tests.integration.health_score.scorecards_api import scorecards_app
from tests.integration.health_score.world import World
from tests.support.health_score import event
from tests.support.keys import MemoryKeys
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually

from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer

SHIPPED = files("health_score").joinpath("scorecards/default.yaml").read_text(encoding="utf-8")


@dataclass
class Desk:
    """The routes on a port, and a home whose stack they are."""

    home: Path
    world: World

    async def csm(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the command."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "csm_cli.main", "scorecards", *arguments, "--home", str(self.home),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
            cwd=self.home,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    def write(self, name: str, text: str) -> None:
        """A file in the directory the command runs in."""
        (self.home / name).write_text(text, encoding="utf-8")


@pytest.fixture
async def desk(world: World, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose door is open."""
    keys, stop, port = MemoryKeys(), asyncio.Event(), free_port()
    stack = {"health_score": {"url": f"http://127.0.0.1:{port}"}, "api_key": keys.add(source="ops")}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    server = HttpServer(scorecards_app(world, keys), HttpSettings(port=port))
    serving = asyncio.create_task(server.run(stop))
    await eventually(lambda: accepts(port), what="the door is open")
    yield Desk(tmp_path, world)
    stop.set()
    await serving


async def test_a_version_goes_from_a_file_into_force_and_back(desk: Desk) -> None:
    await desk.world.send(event("e1", "acme", "csm.usage.recorded", {"feature": "x"}))
    desk.write("mine.yaml", SHIPPED.replace("version: 1\n", "").replace("weight: 40\n", "weight: 50\n", 1))
    assert await desk.csm("validate", "mine.yaml") == (0, "mine.yaml is valid.\n")
    made = await desk.csm("create", "mine.yaml", "--note", "[b]Use[/b] weighs more")
    assert made == (0, "mine.yaml is version 2 of default.\n")
    code, told = await desk.csm("diff", "default", "1", "2")
    assert (code, told.splitlines()[0]) == (0, "~ dimension adoption: weight 40 → 50")
    code, told = await desk.csm("activate", "default", "2")
    assert told.startswith("default is in force in version 2 (change 4); it concerns 1 accounts.")
    assert await desk.csm("progress") == (3, "Change 4: 0 of 1 accounts are judged by it.\n")
    _, told = await desk.csm("show", "default")
    assert "[b]Use[/b] weighs more" in told
    code, told = await desk.csm("rollback", "default", "--note", "No")
    assert "default is in force in version 1 (change 5)" in told
    assert (await desk.csm("show", "default", "--version", "1"))[1] == SHIPPED
    code, listed = await desk.csm("list")
    assert [line.split()[0] for line in listed.splitlines()[3:6]] == ["onboarding", "enterprise", "default"]
    _, shown = await desk.csm("list", "--json")
    assert json.loads(shown)[2]["newest_version"] == 2


async def test_mistakes_are_told_as_editors_understand_them(desk: Desk) -> None:
    desk.write("mine.yaml", SHIPPED.replace("half_life_days: 14", "hlaf_life_days: 14"))
    line = next(at for at, text in enumerate(SHIPPED.splitlines(), 1) if "half_life_days: 14" in text)
    code, told = await desk.csm("validate", "mine.yaml")
    place = "/dimensions/adoption/measures/usage_volume/signal"
    assert (code, told.splitlines()) == (
        1,
        [
            f"mine.yaml:{line}:17: {place}/half_life_days: half_life_days is missing",
            f"mine.yaml:{line}:84: {place}/hlaf_life_days: there is no key 'hlaf_life_days'; did you mean half_life_days?",
        ],
    )


async def test_refusals_are_one_sentence(desk: Desk) -> None:
    code, told = await desk.csm("retire", "default")
    assert (code, told.count("\n")) == (1, 1)
    assert "one of the active scorecards must apply to every account" in told
    code, told = await desk.csm("show", "no/such?")
    assert (code, told.count("\n")) == (1, 1)
    code, told = await desk.csm("schema")
    assert json.loads(told)["title"] == "Scorecard"
