"""Readiness: what is remembered of servers that answer, fail, or hang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.waiting import eventually

from ingest.adapters.watch import Watch


class Server:
    """Answers, fails or hangs when asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask(self) -> None:
        """What a watch asks."""
        self.asked += 1
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure


class Time:
    """A clock in seconds, moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    """The watch runs during the block, and stops when asked to."""
    stop = asyncio.Event()
    task = asyncio.create_task(watch.run(stop))
    yield
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_server_that_was_not_asked_yet_is_not_ready() -> None:
    assert await Watch("Kafka", Server().ask).problem() == "Kafka has not answered yet."


async def test_a_server_that_answers_is_ready() -> None:
    server = Server()
    watch = Watch("Kafka", server.ask, every_s=0.01)

    async with running(watch):
        await eventually(lambda: server.asked > 2)
        assert await watch.problem() is None


async def test_a_server_that_fails_is_asked_until_it_answers() -> None:
    server = Server()
    server.failure = ConnectionError("refused\nat great length")
    watch = Watch("Kafka", server.ask, every_s=0.01)

    async with running(watch):
        await eventually(lambda: server.asked > 2)
        assert await watch.problem() == "Kafka does not answer: refused"
        server.failure = None
        await eventually(lambda: is_ready(watch))


async def is_ready(watch: Watch) -> bool:
    """Whether it has no problem."""
    return await watch.problem() is None


async def test_a_server_that_hangs_is_not_ready_for_long() -> None:
    server, time = Server(), Time()
    watch = Watch("Kafka", server.ask, every_s=0.01, clock=time)

    async with running(watch):
        await eventually(lambda: is_ready(watch))
        server.answers.clear()
        asked = server.asked
        await eventually(lambda: server.asked > asked)
        time.now += 60
        assert await watch.problem() == "Kafka has not answered for 60 s."
