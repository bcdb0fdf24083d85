"""Many runs ended at once: counted, bounded, and each of them audited."""

import pytest
from tests.unit.playbooks.builders import TASK, WAIT, a_crossing, a_definition
from tests.unit.playbooks.runs.scenes import Scene

from playbooks.application import run_bulk
from playbooks.application.actor import Actor
from playbooks.application.reads import RunFilter
from playbooks.application.run_bulk import BulkCancelled, BulkDesk

OPS = Actor("ops")


@pytest.fixture
async def scene() -> Scene:
    """Five accounts wait in `low`, each with a task; one of them in `high`, too."""
    scene = Scene()
    await scene.ship(
        a_definition("low", steps=(TASK, WAIT)), a_definition("high", steps=(WAIT,), threshold="critical")
    )
    for number in range(5):
        await scene.cross(f"c-{number}", a_crossing(f"account-{number}"))
    await scene.cross("c-9", a_crossing("account-0", threshold="critical"))
    await scene.go_on()
    return scene


def a_desk(scene: Scene) -> BulkDesk:
    return BulkDesk(scene.database, scene.reads, scene.clock)


async def test_a_dry_run_counts_and_changes_nothing(scene: Scene) -> None:
    counted = await a_desk(scene).cancel(RunFilter(playbook="low"), OPS, "wrong words", dry_run=True)
    assert counted == BulkCancelled(matched=5, cancelled=0, remaining=5, open_tasks=0, dry_run=True)
    assert {run.status for run in scene.runs()} == {"active"}


async def test_the_active_runs_of_a_playbook_are_ended_and_no_others(scene: Scene) -> None:
    done = await a_desk(scene).cancel(RunFilter(playbook="low", version=1), OPS, "wrong words", dry_run=False)
    assert done == BulkCancelled(matched=5, cancelled=5, remaining=0, open_tasks=5, dry_run=False)
    assert sorted((run.playbook, run.status) for run in scene.runs()) == [
        ("high", "active"),
        *[("low", "cancelled")] * 5,
    ]
    audited = [each for each in scene.database.state.audit.values() if each.actor == "key:ops"]
    assert [each.action for each in audited] == [*["cancelled"] * 5, "runs_cancelled"]
    assert (audited[-1].subject, audited[-1].detail["cancelled"]) == ("playbook:low", 5)


@pytest.mark.parametrize(
    "wanted",
    [
        RunFilter(playbook="low", step="follow_up"),
        RunFilter(playbook="low", version=2),
        RunFilter(playbook="none"),
    ],
    ids=["another step", "another version", "another playbook"],
)
async def test_what_does_not_match_is_left(scene: Scene, wanted: RunFilter) -> None:
    assert (await a_desk(scene).cancel(wanted, OPS, "wrong words", dry_run=False)).cancelled == 0


async def test_a_request_ends_only_so_many_and_tells_what_is_left(scene: Scene) -> None:
    desk = BulkDesk(scene.database, scene.reads, scene.clock, batch=2, most_batches=2)
    first = await desk.cancel(RunFilter(playbook="low"), OPS, "wrong words", dry_run=False)
    assert (first.matched, first.cancelled, first.remaining) == (5, 4, 1)
    second = await desk.cancel(RunFilter(playbook="low"), OPS, "wrong words", dry_run=False)
    assert (second.matched, second.cancelled, second.remaining) == (1, 1, 0)
    assert run_bulk.BATCH * run_bulk.MOST_BATCHES == 5000
