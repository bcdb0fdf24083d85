"""The poller: woken or by the clock, patient with failures, never cancelled in the middle of a round."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.support.waiting import eventually

from csm_common.errors import FatalError, TransientError
from csm_common.poller import Poller

LONG = 3_600.0
SHORT = 0.001


class Rounds:
    """Counts rounds; each first raises the next of `errors`, if any, or does what `during` does."""

    def __init__(self, *errors: Exception) -> None:
        self.count = 0
        self.errors = list(errors)
        self.during: Callable[[], None] = lambda: None

    async def __call__(self) -> None:
        """One round."""
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        self.during()

    def reached(self, count: int) -> Callable[[], bool]:
        """The condition that so many rounds have begun."""
        return lambda: self.count >= count


@asynccontextmanager
async def polling(rounds: Rounds, interval_s: float) -> AsyncIterator[Poller]:
    """A poller that runs during the block and is told to stop after it."""
    poller, stop = Poller("test", rounds, interval_s=interval_s), asyncio.Event()
    task = asyncio.create_task(poller.run(stop))
    try:
        yield poller
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def test_it_does_a_round_at_once_and_then_one_an_interval() -> None:
    rounds = Rounds()
    async with polling(rounds, SHORT):
        await eventually(rounds.reached(5))


async def test_a_wake_is_a_round_without_waiting_for_the_interval() -> None:
    rounds = Rounds()
    async with polling(rounds, LONG) as poller:
        for expected in range(1, 4):
            await eventually(rounds.reached(expected))
            poller.wake()
        await eventually(rounds.reached(4))
    assert rounds.count == 4


async def test_a_wake_during_a_round_is_another_round_after_it() -> None:
    rounds = Rounds()
    async with polling(rounds, LONG) as poller:

        def wake_once() -> None:
            rounds.during = lambda: None
            poller.wake()

        rounds.during = wake_once
        await eventually(rounds.reached(2))


async def test_many_wakes_are_one_round() -> None:
    rounds = Rounds()
    async with polling(rounds, LONG) as poller:
        await eventually(rounds.reached(1))
        for _ in range(10):
            poller.wake()
        await eventually(rounds.reached(2))
    assert rounds.count == 2


@pytest.mark.parametrize("error", [TransientError("down"), TimeoutError(), ZeroDivisionError("a bug")])
async def test_a_failed_round_is_told_of_and_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = Rounds(error, error)
    async with polling(rounds, SHORT):
        await eventually(rounds.reached(3))
    assert caplog.text.count("round failed") == 2
    assert ("Traceback" in caplog.text) == isinstance(error, ZeroDivisionError)


async def test_a_wake_does_not_cut_the_pause_after_a_failure_short() -> None:
    rounds = Rounds(TransientError("down"))
    async with polling(rounds, LONG) as poller:
        await eventually(rounds.reached(1))
        for _ in range(5):
            poller.wake()
            await asyncio.sleep(0)
    assert rounds.count == 1


async def test_a_fatal_error_ends_it() -> None:
    with pytest.raises(FatalError, match="over"):
        await Poller("test", Rounds(FatalError("over")), interval_s=SHORT).run(asyncio.Event())


async def test_stopping_lets_the_round_finish() -> None:
    begun, go_on, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long_round() -> None:
        begun.set()
        await go_on.wait()
        finished.set()

    stop = asyncio.Event()
    task = asyncio.create_task(Poller("test", long_round, interval_s=SHORT).run(stop))
    await begun.wait()
    stop.set()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await task
    assert finished.is_set()


async def test_told_to_stop_before_it_began_it_does_nothing() -> None:
    rounds, stop = Rounds(), asyncio.Event()
    stop.set()
    await Poller("test", rounds, interval_s=SHORT).run(stop)
    assert rounds.count == 0
