"""The tickers: woken they go on until nothing is due, and they do not poll for what has a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.unit.playbooks.builders import a_crossing, a_definition, received
from tests.unit.playbooks.engine.endpoints import ToldEndpoints
from tests.unit.playbooks.engine.examples import notify, task, wait, webhook

from csm_common.clock import SystemClock
from csm_common.errors import TransientError
from playbooks.adapters.memory.store import MemoryDatabase, MemoryStore
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.application.handlers.steps import Rules
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run
from playbooks.entrypoints.pollers import CALLS_TO_ONE, CallTicker, RunTicker, places
from playbooks.settings import PlaybookSettings

NEVER_S = 3600.0
Loop = Callable[[asyncio.Event], Any]


@asynccontextmanager
async def running(*loops: Loop) -> AsyncIterator[None]:
    """Tickers for the length of the block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each(stop)) for each in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def start_runs(
    database: MemoryDatabase, clock: ManualClock | SystemClock, *definitions: Definition, accounts: int = 1
) -> None:
    await publish(database, definitions, clock)
    now = clock.now()
    crossings = [
        received(f"c-{number}", a_crossing(f"account-{number}", occurred_at=now))
        for number in range(accounts)
    ]
    async with database.begin() as store:
        await handle_crossings(store, crossings, now)


def the_run(database: MemoryDatabase) -> Run:
    [run] = database.state.runs.values()
    return run


def a_ticker(
    database: MemoryDatabase,
    clock: ManualClock | SystemClock,
    look_every_s: float = NEVER_S,
    on_commit: Callable[[], Any] = lambda: None,
    workers: int = 1,
    limit: int = 100,
) -> RunTicker:
    return RunTicker(
        database, clock, Rules(), workers=workers, limit=limit, look_every_s=look_every_s, on_commit=on_commit
    )


async def test_one_wake_takes_a_run_as_far_as_it_can_go() -> None:
    database, clock, commits = MemoryDatabase(), ManualClock(), []
    ticker = a_ticker(database, clock, on_commit=lambda: commits.append(clock.now()))
    async with running(ticker.run):
        await start_runs(database, clock, a_definition())
        ticker.wake()
        await eventually(lambda: the_run(database).wake_at)
        clock.advance(timedelta(days=2))
        ticker.wake()
        await eventually(lambda: the_run(database).status == "completed")
    assert len(commits) == 4


async def test_many_runs_go_on_through_several_workers_each_step_once() -> None:
    database, clock = MemoryDatabase(), ManualClock()
    await start_runs(database, clock, a_definition(steps=(notify(), task(), notify("again"))), accounts=50)
    ticker = a_ticker(database, clock, workers=3, limit=7)
    async with running(ticker.run):
        ticker.wake()
        await eventually(lambda: all(run.status == "completed" for run in database.state.runs.values()))
    assert len(database.state.results) == 150


async def test_the_nearest_wake_time_wakes_it() -> None:
    """By the machine's clock, and long before it would look by itself."""
    database, clock = MemoryDatabase(), SystemClock()
    await start_runs(database, clock, a_definition(steps=(wait(duration="1s"),)))
    async with running(a_ticker(database, clock).run):
        await eventually(lambda: the_run(database).status == "completed")


async def test_it_looks_now_and_then_for_runs_that_others_started() -> None:
    database, clock = MemoryDatabase(), ManualClock()
    async with running(a_ticker(database, clock, look_every_s=0.01).run):
        await start_runs(database, clock, a_definition())
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
    async with running(a_ticker(database, ManualClock(), look_every_s=0.01).run):
        await eventually(lambda: database.begun > 1)


@pytest.mark.parametrize("look_every_s", [0, -1])
def test_it_cannot_be_told_to_spin(look_every_s: float) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        PlaybookSettings(look_every_s=look_every_s)


# ---- calls


class SlowEndpoints(ToldEndpoints):
    """Nobody answers until `open` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.out = 0
        self.most = 0

    async def call(self, endpoint: str, **told: Any) -> int:
        self.out += 1
        self.most = max(self.most, self.out)
        await self.open.wait()
        self.out -= 1
        return await super().call(endpoint, **told)


def tickers(
    database: MemoryDatabase,
    clock: ManualClock | SystemClock,
    endpoints: ToldEndpoints,
    look_every_s: float = NEVER_S,
) -> tuple[RunTicker, CallTicker]:
    """Each wakes the other, as the service has it."""
    calls = CallTicker(
        database, endpoints, clock, Rules(), look_every_s=look_every_s, on_done=lambda: ticker.wake()
    )
    ticker = a_ticker(database, clock, look_every_s, on_commit=calls.wake)
    return ticker, calls


async def test_calls_are_made_and_the_runs_go_on_without_anybody_looking() -> None:
    database, clock, endpoints = MemoryDatabase(), ManualClock(), ToldEndpoints()
    await start_runs(database, clock, a_definition(steps=(webhook(), webhook("again"), task())))
    ticker, calls = tickers(database, clock, endpoints)
    async with running(ticker.run, calls.run):
        ticker.wake()
        await eventually(lambda: the_run(database).status == "completed")
    assert len(endpoints.posted) == 2


async def test_an_endpoint_that_hangs_has_few_calls_out_and_holds_up_no_other() -> None:
    database, clock, slow = MemoryDatabase(), SystemClock(), SlowEndpoints()
    await start_runs(database, clock, a_definition(steps=(webhook(),)), accounts=25)
    ticker, calls = tickers(database, clock, slow, look_every_s=0.05)
    async with running(ticker.run, calls.run):
        ticker.wake()
        await eventually(lambda: slow.out == CALLS_TO_ONE)
        slow.open.set()
        await eventually(lambda: all(run.status == "completed" for run in database.state.runs.values()))
    assert slow.most == CALLS_TO_ONE
    assert len({each.message_id for each in slow.posted}) == len(slow.posted) == 25


async def test_a_stop_waits_for_the_calls_that_are_out() -> None:
    database, clock, slow = MemoryDatabase(), ManualClock(), SlowEndpoints()
    await start_runs(database, clock, a_definition(steps=(webhook(),)))
    ticker, calls = tickers(database, clock, slow)
    async with running(ticker.run, calls.run):
        ticker.wake()
        await eventually(lambda: slow.out)
        asyncio.get_running_loop().call_later(0.05, slow.open.set)
    assert the_run(database).status == "completed"


def test_each_endpoint_has_places_of_its_own() -> None:
    room = places(["crm"] * (CALLS_TO_ONE - 1))
    assert [room("crm"), room("crm"), room("desk")] == [True, False, True]
