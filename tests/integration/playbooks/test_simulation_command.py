"""`csm simulate` and `csm test` as a person runs them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.ports import free_port
from tests.support.waiting import accepts, eventually
from tests.unit.playbooks.builders import a_crossing, received
from tests.unit.playbooks.contracts.simulation_http import FILE, TEXT, Service, simulation_app

from csm_common.clock import SystemClock
from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer
from playbooks.adapters.memory.past import MemoryPast
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.adapters.memory.store import MemoryDatabase


@dataclass(frozen=True)
class Desk:
    """A home whose stack has the routes on a port, over a store in memory."""

    home: Path
    database: MemoryDatabase

    async def simulate(self, *arguments: str, exits: int = 0) -> str:
        """Output of `csm simulate`."""
        return await csm("simulate", *arguments, "--home", str(self.home), exits=exits)


async def csm(*arguments: str, exits: int = 0) -> str:
    """Output of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "csm_cli.main", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == exits, output.decode()
    return output.decode()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose door is open."""
    database, stop, port = MemoryDatabase(), asyncio.Event(), free_port()

    async def counts() -> dict[str, int]:
        return {}

    past = MemoryPast(database.state)
    app = await simulation_app(Service(database, MemoryReads(database.state), past, counts))
    stack = {"playbooks": {"url": f"http://127.0.0.1:{port}"}, "api_key": app.state.token}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    serving = asyncio.create_task(HttpServer(app, HttpSettings(port=port)).run(stop))
    await eventually(lambda: accepts(port), what="the door is open")
    yield Desk(tmp_path, database)
    stop.set()
    await serving


async def test_an_account_is_shown_step_by_step(desk: Desk) -> None:
    told = await desk.simulate("usage_recovers", "--account", "acme", "--at", "2026-03-02T09:00:00Z")
    assert "usage_recovers version 1 for acme" in told
    assert "2026-03-04 09:00:00   pause" in told
    assert "Opened the task ‘Call them’ (rescue)." in told
    assert "messages" in told


async def test_a_file_is_simulated_as_it_is(desk: Desk) -> None:
    churned = '{"attributes": {"stage": "churned"}}'
    told = await desk.simulate(str(FILE), "--snapshot", churned)
    assert "not entered (audience)" in told
    found = json.loads(
        await desk.simulate(str(FILE), "--snapshot", churned, "--force", "--for", "4h", "--json")
    )
    assert found["entry"]["outcome"] == "started"
    assert found["runs"][0]["run"]["awaits"] == "time"


async def test_the_past_is_added_up(desk: Desk) -> None:
    now = SystemClock().now()
    crossings = [
        received(f"c-{n}", a_crossing(f"account-{n}", "usage_falling", occurred_at=now)) for n in range(3)
    ]
    async with desk.database.begin() as store:
        await store.crossings.remember(crossings, now)
    told = await desk.simulate("usage_recovers", "--since", "30d")
    assert "usage_recovers over 3 crossings of 3 accounts" in told
    assert "entered 3, held out 0, refused: none" in told
    assert "most messages in an hour: 3" in told
    assert "account-2" in told
    assert "Note: The state of an account is known at its crossings alone" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "no active version of nothing"),
        (["nothing.yaml"], "There is no file nothing.yaml"),
        (["usage_recovers", "--since", "soon"], "'soon' is not a length of time"),
        (["usage_recovers", "--snapshot", "{"], "This is not JSON"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
async def test_what_cannot_be_simulated_is_one_sentence(desk: Desk, arguments: list[str], told: str) -> None:
    assert told in await desk.simulate(*arguments, exits=1)


async def test_authors_tests_are_run_with_their_scenarios() -> None:
    told = await csm("test", str(FILE.parent))
    assert "test_mornings_are_those_of_the_account PASSED" in told
    assert "Whoever has churned is left alone PASSED" in told
    assert "7 passed" in told


async def test_a_failed_test_tells_what_happened(tmp_path: Path) -> None:
    (tmp_path / "usage_recovers.yaml").write_text(TEXT, encoding="utf-8")
    scenario = "scenarios: [{scenario: nothing is said, then: {sent: []}}]"
    (tmp_path / "usage_recovers.test.yaml").write_text(scenario, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        "def test_it(playbook):\n"
        "    world = playbook('usage_recovers')\n"
        "    world.cross('usage_falling')\n"
        "    assert world.sent == []\n",
        encoding="utf-8",
    )
    told = await csm("test", str(tmp_path), exits=1)
    assert "expected sent [], but it is ['usage_falling']" in told
    assert "what happened" in told
    stories, _, _ = told.partition("short test summary")  # which repeats messages whole where CI is set
    assert stories.count("Asked for an email (usage_falling)") == 2
    assert "2 failed" in told


async def test_mistakes_of_files_are_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT.replace("wait: 2d", "wait: 2y"), encoding="utf-8")
    (tmp_path / "mine.test.yaml").write_text("scenarios: [{scenario: it plays}]", encoding="utf-8")
    told = await csm("test", str(tmp_path), exits=1)
    assert "mine.yaml:11:25: steps.1.wait: '2y' is not a duration" in told
    assert "Traceback" not in told
    (tmp_path / "mine.test.yaml").write_text("scenarios: [{scenario: x, than: {}}]", encoding="utf-8")
    told = await csm("test", str(tmp_path), exits=2)
    assert "scenarios.0.than: Extra inputs are not permitted" in told
    assert "Traceback" not in told


async def test_without_a_test_nothing_is_proved(tmp_path: Path) -> None:
    assert "There are no tests in" in await csm("test", str(tmp_path), exits=1)
    assert "No test was run" in await csm("test", str(FILE.parent), "-k", "never", exits=1)
