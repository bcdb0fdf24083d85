"""Dropping what ended long ago: nothing of it is left in any table, and nothing else is touched."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, a_run, received
from tests.unit.playbooks.contracts.rows import a_result, a_task, an_approval, an_entry
from tests.unit.playbooks.contracts.trials import a_trial

from playbooks.adapters.postgres.pruning import PostgresPruning
from playbooks.application.model import Audited
from playbooks.domain.run import Run, complete_run

KEPT = timedelta(days=400)
TABLES = ("runs", "run_steps", "entries", "trials", "tasks", "approvals", "crossings", "audit")


async def write(adapters: Adapters, run: Run, *, days_ago: float, task: str = "done") -> None:
    """A run with all that belongs to it, so long ago."""
    at = START - timedelta(days=days_ago)
    crossing = received(run.crossing_id, a_crossing(run.account_id))
    async with adapters.transactions.begin() as store:
        await store.playbooks.ship([a_definition()], START)
        await store.crossings.remember([crossing], at)
        await store.runs.add([run])
        await store.runs.record([a_result(run.id)])
        await store.entries.add(
            [replace(an_entry(run.crossing_id), run_id=run.id, account_id=run.account_id, decided_at=at)]
        )
        await store.trials.add([replace(a_trial(run.id), account_id=run.account_id, entered_at=at)])
        await store.tasks.open([a_task(f"task of {run.id}", account_id=run.account_id, run_id=run.id)])
        await store.approvals.ask([an_approval(f"approval of {run.id}", run_id=run.id)])
        await store.audit.add([Audited(at=at, actor="system", action="looked", subject=f"run:{run.id}")])
    async with adapters.engine.begin() as tx:
        await tx.execute(
            text("UPDATE tasks SET status = :status WHERE run_id = :run"), {"status": task, "run": run.id}
        )


def ended(run_id: str, days_ago: float) -> Run:
    at = START - timedelta(days=days_ago)
    return complete_run(a_run(run_id, account_id=run_id, crossing_id=f"crossing of {run_id}"), at)


async def rows(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {each: await connection.scalar(text(f"SELECT count(*) FROM {each}")) for each in TABLES}


async def test_what_ended_long_ago_goes_with_all_that_belongs_to_it(adapters: Adapters) -> None:
    for number in range(3):
        await write(adapters, ended(f"old-{number}", 401), days_ago=402)
    await PostgresPruning(adapters.engine, KEPT, chunk=2).prune(START)
    assert await rows(adapters.engine) == dict.fromkeys(TABLES, 0)


async def test_what_ended_lately_stays_and_so_does_what_is_active_or_has_open_work(
    adapters: Adapters,
) -> None:
    await write(adapters, ended("lately", 399), days_ago=399)
    await write(
        adapters, a_run("active", account_id="active", crossing_id="crossing of active"), days_ago=500
    )
    await write(adapters, ended("work", 401), days_ago=500, task="open")
    await PostgresPruning(adapters.engine, KEPT, chunk=2).prune(START)
    found = await rows(adapters.engine)
    assert found.pop("audit") == 1
    assert found.pop("trials") == 1, "entries of both arms are kept for the same time"
    assert found == dict.fromkeys(found, 3)
