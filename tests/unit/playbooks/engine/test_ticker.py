"""The ticker: woken it goes on until nothing is due, and it does not poll for what has a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.unit.playbooks.builders import a_definition, received
from tests.unit.playbooks.memory import MemoryDatabase, MemoryStore

from csm_common.clock import SystemClock
from csm_common.errors import TransientError
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run
from playbooks.domain.steps import Step
from playbooks.entrypoints.pollers import RunTicker
from playbooks.settings import PlaybookSettings

NEVER = PlaybookSettings(look_every_s=3600)


@asynccontextmanager
async def running(ticker: RunTicker) -> AsyncIterator[None]:
    """The ticker's loop for the length of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(ticker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def start_run(
    database: MemoryDatabase, clock: ManualClock | SystemClock, *definitions: Definition
) -> None:
    await publish(database, definitions, clock)
    async with database.begin() as store:
        await handle_crossings(store, [received("c-1")], clock.now())


def the_run(database: MemoryDatabase) -> Run:
    [run] = database.state.runs.values()
    return run


async def test_one_wake_takes_a_run_as_far_as_it_can_go() -> None:
    database, clock, commits = MemoryDatabase(), ManualClock(), []
    ticker = RunTicker(database, clock, NEVER, on_commit=lambda: commits.append(clock.now()))
    async with running(ticker):
        await start_run(database, clock, a_definition())
        ticker.wake()
        await eventually(lambda: the_run(database).wake_at)
        clock.advance(timedelta(days=2))
        ticker.wake()
        await eventually(lambda: the_run(database).status == "completed")
    assert len(commits) == 4


async def test_the_nearest_wake_time_wakes_it() -> None:
    """By the machine's clock, and long before it would look by itself."""
    database, clock = MemoryDatabase(), SystemClock()
    await start_run(database, clock, a_definition(steps=(Step(name="pause", wait="1s"),)))
    async with running(RunTicker(database, clock, NEVER, on_commit=lambda: None)):
        await eventually(lambda: the_run(database).status == "completed")


async def test_it_looks_now_and_then_for_runs_that_others_started() -> None:
    database, clock = MemoryDatabase(), ManualClock()
    ticker = RunTicker(database, clock, PlaybookSettings(look_every_s=0.01), on_commit=lambda: None)
    async with running(ticker):
        await start_run(database, clock, a_definition())
        await eventually(lambda: the_run(database).wake_at)


class Counting(MemoryDatabase):
    """Counts transactions, and is away at first."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryStore]:
        self.begun += 1
        if self.begun == 1:
            raise TransientError("away")
        async with super().begin() as store:
            yield store


async def test_a_round_that_fails_is_tried_again() -> None:
    database = Counting()
    ticker = RunTicker(database, ManualClock(), PlaybookSettings(look_every_s=0.01), on_commit=lambda: None)
    async with running(ticker):
        await eventually(lambda: database.begun > 1)


@pytest.mark.parametrize("look_every_s", [0, -1])
def test_it_cannot_be_told_to_spin(look_every_s: float) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        PlaybookSettings(look_every_s=look_every_s)
