"""After the answer nothing goes out any more, however many senders are at work when a person unsubscribes."""

import asyncio
from random import Random

import pytest
from tests.integration.notifier.desk import Desk
from tests.integration.notifier.outcomes.conftest import Service

from notifier.application.ports import Outgoing
from notifier.domain.delivery import Answer


class _Slow:
    """A channel that takes its time, and tells when some messages have left it."""

    def __init__(self, service: Service, random: Random) -> None:
        self._channel = service.channel
        self._random = random
        self.reach, self.manners, self.endpoint = (
            self._channel.reach,
            self._channel.manners,
            self._channel.endpoint,
        )
        self.left = 0
        self.enough = asyncio.Event()
        self._wanted = random.randrange(1, 10)

    async def send(self, message: Outgoing) -> Answer:
        for _ in range(self._random.randrange(6000)):
            await asyncio.sleep(0)
        self.left += 1
        if self.left >= self._wanted:
            self.enough.set()
        return await self._channel.send(message)

    def abandon(self) -> None:
        self._channel.abandon()


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_leaves_after_the_answer(service: Service, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    links = await service.sent("first")
    for number in range(24):
        await service.ask(f"n-{number}", run_id=f"run-{number}")
    slow = _Slow(service, random)
    desks = [
        Desk(
            service.desk.engine,
            channel=slow,  # type: ignore[arg-type]
            clock=service.desk.clock,
            rules=service.desk.rules,
            linker=service.desk.linker,
            owner=f"sender-{number}",
        )
        for number in range(4)
    ]

    async def work(desk: Desk) -> None:
        while jobs := await desk.claim(3):
            await desk.record(*[await desk.delivery.attempt(each) for each in jobs])

    senders = [asyncio.create_task(work(each)) for each in desks]
    await slow.enough.wait()
    answer = await service.person.post(links.unsubscribe or "")
    left = slow.left
    assert answer.status_code == 200
    assert "unterwegs" not in answer.text
    await asyncio.gather(*senders)
    assert slow.left == left
    await service.desk.round(100)
    assert len(service.channel.sent) == 1 + left
    statuses = [await service.status(f"n-{number}") for number in range(24)]
    assert statuses.count("sent") == left
    assert statuses.count("suppressed") == 24 - left > 0
