"""A service's life: its loops end in order when it is asked to stop, and all together when one of them dies."""

import asyncio

import pytest
from tests.support.waiting import eventually

from csm_common.errors import FatalError, TransientError
from csm_common.runtime import Loop, run_loops

PATIENCE_S = 30.0


class Diary:
    """Loops that write down when they begin and end."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def loop(self, name: str, *, finish: asyncio.Event | None = None) -> Loop:
        """A loop that ends when told to, or only once `finish` is set as well."""

        async def run(stop: asyncio.Event) -> None:
            self.lines.append(f"{name} begins")
            await stop.wait()
            self.lines.append(f"{name} is told")
            if finish is not None:
                await finish.wait()
            self.lines.append(f"{name} ends")

        return Loop(name, run)


async def test_asked_to_stop_they_end_one_after_the_other_in_their_order() -> None:
    diary, asked = Diary(), asyncio.Event()
    loops = [diary.loop(name) for name in ("door", "consumer", "relay")]
    task = asyncio.create_task(run_loops(loops, asked, PATIENCE_S))
    await eventually(lambda: len(diary.lines) == 3)
    asked.set()
    await task
    assert diary.lines[3:] == [
        "door is told",
        "door ends",
        "consumer is told",
        "consumer ends",
        "relay is told",
        "relay ends",
    ]


async def test_one_that_dies_ends_all_and_its_error_is_told() -> None:
    async def dying(_: asyncio.Event) -> None:
        raise TransientError("The database is gone.")

    diary = Diary()
    loops = [diary.loop("door"), Loop("consumer", dying), diary.loop("relay")]
    with pytest.raises(TransientError, match="The database is gone"):
        await run_loops(loops, asyncio.Event(), PATIENCE_S)
    assert {"door ends", "relay ends"} <= set(diary.lines)


async def test_one_that_ends_by_itself_is_a_fault_too() -> None:
    async def brief(_: asyncio.Event) -> None:
        return

    diary = Diary()
    with pytest.raises(FatalError, match="'consumer' ended by itself"):
        await run_loops([diary.loop("door"), Loop("consumer", brief)], asyncio.Event(), PATIENCE_S)
    assert "door ends" in diary.lines


async def test_one_that_does_not_finish_in_time_is_named() -> None:
    diary, asked, finish = Diary(), asyncio.Event(), asyncio.Event()
    asked.set()
    with pytest.raises(FatalError, match=r"consumer did not finish within 0\.1 s"):
        await run_loops([diary.loop("consumer", finish=finish), diary.loop("relay")], asked, 0.1)
    assert "relay is told" in diary.lines
    finish.set()
    await eventually(lambda: "consumer ends" in diary.lines)


async def test_an_error_while_stopping_is_not_lost() -> None:
    async def fails_at_the_end(stop: asyncio.Event) -> None:
        await stop.wait()
        raise ZeroDivisionError

    asked = asyncio.Event()
    asked.set()
    with pytest.raises(ZeroDivisionError):
        await run_loops([Loop("consumer", fails_at_the_end)], asked, PATIENCE_S)
