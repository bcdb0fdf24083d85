"""A database as the version before left it, with runs on their way and open tasks: migrated, all of it goes on."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks.conftest import adapters_on
from tests.support.clock import START
from tests.support.postgres import Database
from tests.unit.playbooks.builders import a_crossing, a_snapshot
from tests.unit.playbooks.engine.replay import HISTORIES
from tests.unit.playbooks.engine.service import Service, entered, left
from tests.unit.playbooks.engine.tables import PostgresTables

from csm_common.database.migrations import migrate
from csm_common.ids import derived_id
from playbooks.adapters.definitions import decode_definition
from playbooks.app import MIGRATIONS, SCHEMA

DAY = timedelta(days=1)
AT_RISK = next(
    each
    for each in msgspec.json.decode((HISTORIES / "stored_0001.json").read_bytes())
    if each["definition"]["name"] == "account_at_risk"
)
STEPS = [each["name"] for each in AT_RISK["definition"]["steps"]]

_PLAYBOOK = text("""
INSERT INTO playbooks VALUES ('account_at_risk', 1, 'At risk', :hash, CAST(:definition AS jsonb), true, :now)
""")
_CROSSING = text(
    "INSERT INTO crossings VALUES (:id, :account, 'at_risk', 'entered', :now, :now, NULL, :data)"
)
_RUN = text("""
INSERT INTO runs (id, playbook, version, account_id, crossing_id, started_at, status, position, wake_at, due_at, failures)
VALUES (:id, 'account_at_risk', 1, :account, :crossing, :now, :status, :position, :wake_at, :due_at, 0)
""")
_STEP = text("INSERT INTO run_steps VALUES (:run, :position, :step, :kind, :now, :outcome, :ref, :until)")
_TASK = text("""
INSERT INTO tasks VALUES ('task-1', 'done', 'follow_up', 'Look', 'at_risk', 'maria', :due, :run, :now, :now, 'open', 1)
""")
_ACCOUNT = text("INSERT INTO accounts VALUES ('waiting', 3, 42.0, 'at_risk', :now, :snapshot)")


@pytest.fixture
async def before(database: Database, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """The tables as they were, filled as they were filled."""
    (tmp_path / "versions").mkdir()
    shutil.copy(MIGRATIONS / "versions" / "0001_runs.py", tmp_path / "versions")
    async with database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=tmp_path)
        await fill(engine)
        yield engine


async def fill(engine: AsyncEngine) -> None:
    """A run that has just begun, one that waits, one behind its wait, and one that is done and left an open task."""
    wake_at = START + 2 * DAY
    stand = {
        "begun": ("active", 0, None, START),
        "waiting": ("active", 1, wake_at, wake_at),
        "behind": ("active", 2, None, START),
        "done": ("completed", 3, None, None),
    }
    definition = msgspec.json.encode(AT_RISK["definition"]).decode()
    async with engine.begin() as tx:
        await tx.execute(_PLAYBOOK, {"hash": AT_RISK["hash"], "definition": definition, "now": START})
        for account, (status, position, wakes, due) in stand.items():
            crossing = msgspec.json.encode(a_crossing(account))
            of = {"account": account, "now": START}
            await tx.execute(_CROSSING, {**of, "id": f"c-{account}", "data": crossing})
            run = {"id": run_id(account), "crossing": f"c-{account}", "status": status, "position": position}
            await tx.execute(_RUN, {**of, **run, "wake_at": wakes, "due_at": due})
            outcomes = ("requested", "waited", "opened")
            for number, kind in enumerate(("notify", "wait", "task")[:position]):
                step = {"run": run_id(account), "position": number, "step": STEPS[number], "kind": kind}
                ref = "task-1" if kind == "task" else None
                await tx.execute(
                    _STEP, {**step, "now": START, "outcome": outcomes[number], "ref": ref, "until": None}
                )
        await tx.execute(_TASK, {"due": START + DAY, "run": run_id("done"), "now": START})
        snapshot = msgspec.json.encode(a_snapshot("waiting", revision=3))
        await tx.execute(_ACCOUNT, {"now": START, "snapshot": snapshot})


def run_id(account: str) -> str:
    return derived_id("run", "account_at_risk", 1, f"c-{account}")


async def migrated(engine: AsyncEngine) -> Service:
    """The new build on the old tables, with the same files in force."""
    await migrate(engine, schema=SCHEMA, scripts=MIGRATIONS)
    service = Service(adapters_on(engine).transactions, PostgresTables(engine))
    await service.publish(decode_definition(msgspec.json.encode(AT_RISK["definition"])))
    return service


async def test_runs_go_on_where_they_were(before: AsyncEngine) -> None:
    service = await migrated(before)
    runs = {run.account_id: run for run in await service.runs()}
    assert {account: (run.step, run.awaits, run.purpose) for account, run in runs.items()} == {
        "begun": (STEPS[0], None, "account_at_risk"),
        "waiting": (STEPS[1], "time", "account_at_risk"),
        "behind": (STEPS[2], None, "account_at_risk"),
        "done": (None, None, "account_at_risk"),
    }
    await service.later(5 * DAY)
    runs = {run.account_id: run for run in await service.runs()}
    assert {run.status for run in runs.values()} == {"completed"}
    for account in runs:
        found = await service.results(run_id(account))
        assert [(each.position, each.step) for each in found] == list(enumerate(STEPS))
    waited = {each.step: each for each in await service.results(run_id("waiting"))}[STEPS[1]]
    assert waited.at == START + 2 * DAY


async def test_no_new_version_is_made_of_a_definition_that_is_as_it_was(before: AsyncEngine) -> None:
    service = await migrated(before)
    async with service.transactions.begin() as store:
        assert [(each.name, each.version) for each in await store.playbooks.active()] == [
            ("account_at_risk", 1)
        ]


async def test_a_way_back_ends_a_run_of_before_and_a_period_that_has_begun_counts(
    before: AsyncEngine,
) -> None:
    service = await migrated(before)
    await service.receive(left("c-2", "waiting"), entered("c-3", "waiting"))
    runs = {run.crossing_id: run.status for run in await service.runs() if run.account_id == "waiting"}
    assert runs == {"c-waiting": "exited"}
    assert await service.refusals() == [("account_at_risk", "once_per")]


async def test_an_open_task_of_before_is_updated_and_tells_of_its_step(before: AsyncEngine) -> None:
    service = await migrated(before)
    [task] = await service.tasks()
    assert (task.playbook, task.step, task.status) == ("account_at_risk", STEPS[2], "open")
    service.clock.advance(8 * DAY)
    await service.receive(entered("c-again", "done", at=service.clock.now()))
    await service.later(3 * DAY)
    again = {each.id: each for each in await service.tasks()}["task-1"]
    assert (again.asked, again.owner) == (2, "maria")


async def test_a_crossing_of_before_is_known(before: AsyncEngine) -> None:
    service = await migrated(before)
    changes = await service.receive(entered("c-begun", "begun"))
    assert (list(changes.crossings), list(changes.started)) == ([], [])
