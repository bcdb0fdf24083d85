"""The effect tells exits apart by how their reasons begin: these are the reasons that the engine writes down."""

from datetime import timedelta

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, received
from tests.unit.playbooks.engine.examples import notify, wait
from tests.unit.playbooks.engine.stepping import a_walk
from tests.unit.playbooks.engine.views import ToldView

from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.measured import (
    ExitKind,
    exit_kind,
)
from playbooks.domain.definition import ExitWhen, Late
from playbooks.domain.run import Run

DAY = timedelta(days=1)


def kind_of(run: Run) -> ExitKind:
    assert run.status == "exited"
    return exit_kind((run.reason or "")[:14], run.exit_crossing_id is not None)


def test_a_condition() -> None:
    walk = a_walk(notify(), exit_when=ExitWhen(condition="gone"), view=ToldView(true={"gone"})).on()
    assert kind_of(walk.run) == "condition"


def test_a_wait_that_ended_too_long_ago() -> None:
    walk = a_walk(wait(), late=Late(after="1d", then="exit")).on()
    walk.now += 30 * DAY
    assert kind_of(walk.on().run) == "late"


def test_a_step_that_was_held_back_for_too_long() -> None:
    walk = a_walk(notify(sales=True), view=ToldView(hold="an escalation is open")).later(31 * DAY)
    assert kind_of(walk.run) == "held_back"


async def test_a_crossing_and_a_playbook_of_a_higher_priority() -> None:
    database = MemoryDatabase()
    async with database.begin() as store:
        low = a_definition("low", purpose="health")
        high = a_definition("high", threshold="critical", purpose="health", priority=1)
        await store.playbooks.ship([low, high], START)
        await handle_crossings(store, [received("c-1")], START)
        superseding = await handle_crossings(
            store, [received("c-2", a_crossing(threshold="critical"))], START
        )
        leaving = await handle_crossings(
            store, [received("c-3", a_crossing(threshold="critical", direction="left"))], START
        )
    assert [kind_of(run) for run in (*superseding.ended, *leaving.ended)] == ["superseded", "crossing"]
