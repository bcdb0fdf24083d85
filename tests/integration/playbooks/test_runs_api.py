"""The HTTP door for runs on PostgreSQL: the contract, and what only locks can show."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.support.postgres import blocked
from tests.unit.playbooks.builders import NOTIFY, WAIT, a_definition, received
from tests.unit.playbooks.contracts.runs_http import RunsHttpContract
from tests.unit.playbooks.runs.scenes import Scene

from csm_common.errors import ConflictError
from playbooks.application.actor import Actor
from playbooks.application.reads import RunFilter
from playbooks.application.run_desk import Handled, RunDesk
from playbooks.domain.run import Run, note_failure

ANA = Actor("console", "ana")


@pytest.fixture
def scene(adapters: Adapters) -> Scene:
    """A scene on PostgreSQL."""
    return Scene(adapters.transactions, adapters.reads)


class TestRunsApi(RunsHttpContract):
    """RunsHttpContract on PostgreSQL."""


async def waiting(scene: Scene) -> tuple[Run, RunDesk]:
    await scene.ship(a_definition(steps=(WAIT, NOTIFY)))
    await scene.cross("c-1")
    await scene.go_on()
    [run] = await scene.reads.runs(RunFilter(), 2, None)
    return run, RunDesk(scene.transactions, scene.clock, lambda: None)


async def test_of_people_who_act_at_once_one_changes_the_run(scene: Scene) -> None:
    run, desk = await waiting(scene)
    acts = [
        desk.cancel(run.id, ANA, "enough"),
        desk.cancel(run.id, ANA, "enough"),
        desk.skip(run.id, ANA, "go"),
    ]
    done: Sequence[Handled | BaseException] = await asyncio.gather(*acts, return_exceptions=True)
    changed = [each for each in done if isinstance(each, Handled) and each.changed]
    story = await scene.reads.run(run.id)
    assert story is not None
    assert story.run.status == "cancelled"
    assert len(changed) == len(story.audited) <= 2
    assert all(isinstance(each, (Handled, ConflictError)) for each in done)


async def test_a_cancel_waits_for_the_step_in_hand_and_ends_the_run_after_it(
    scene: Scene, adapters: Adapters
) -> None:
    run, desk = await waiting(scene)
    async with scene.transactions.begin() as ticker:
        [locked] = await ticker.runs.lock([run.id])
        cancelling = asyncio.create_task(desk.cancel(run.id, ANA, "enough"))
        await blocked(adapters.engine)
        await ticker.runs.update([replace(locked, awaits=None, wake_at=None, step="tell", position=1)])
    handled = await cancelling
    assert (handled.run.status, handled.run.step, handled.run.steps_taken) == ("cancelled", "tell", 1)


async def test_a_retry_gives_way_to_a_run_that_begins_at_the_same_moment(
    scene: Scene, adapters: Adapters
) -> None:
    run, desk = await waiting(scene)
    async with scene.transactions.begin() as store:
        failed = note_failure((await store.runs.lock([run.id]))[0], "odd", (), scene.clock.now())
        await store.runs.update([failed])
    async with scene.transactions.begin() as consumer:
        await consumer.crossings.remember([received("c-2")], scene.clock.now())
        await consumer.runs.add([replace(run, id="run-2", crossing_id="c-2")])
        retrying = asyncio.create_task(desk.retry(run.id, ANA))
        await blocked(adapters.engine)
    with pytest.raises(ConflictError, match="has begun meanwhile"):
        await retrying
