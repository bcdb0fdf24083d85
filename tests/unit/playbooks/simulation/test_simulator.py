"""The driver of simulations, and what it refuses to go on with."""

import asyncio
from datetime import datetime

import pytest
from tests.support.clock import START

from playbooks.adapters.memory.runs import MemoryRuns
from playbooks.adapters.memory.sandbox import MemorySandbox, RecordingEndpoints
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.handlers.steps import Rules
from playbooks.application.simulation import News, PretendedClock, Simulator
from playbooks.application.simulation_driver import drive
from playbooks.application.simulation_people import People


def test_what_waits_for_something_outside_is_no_simulation() -> None:
    with pytest.raises(RuntimeError, match="something outside"):
        drive(asyncio.sleep(0))


def test_a_transaction_that_would_wait_for_another_says_so() -> None:
    database = MemoryDatabase()

    async def nested() -> None:
        async with database.begin(), database.begin():
            pass

    with pytest.raises(RuntimeError, match="open already"):
        drive(nested())


class Stubborn(MemoryRuns):
    """Says that a run is due, and never gives it out."""

    async def next_due(self) -> datetime | None:
        return START


def test_a_step_that_is_due_for_ever_stops_the_simulation() -> None:
    """No playbook can do so; a fault of the engine could."""
    sandbox = MemorySandbox()
    sandbox.transactions.store.runs = Stubborn(sandbox.transactions.state)
    simulator = Simulator(
        sandbox=sandbox,
        rules=Rules(),
        clock=PretendedClock(START),
        endpoints=RecordingEndpoints(),
        people=People(),
    )
    with pytest.raises(RuntimeError, match="at 2026-03-02T09:00:00Z there is always one more step due"):
        drive(simulator.feed(News()))
