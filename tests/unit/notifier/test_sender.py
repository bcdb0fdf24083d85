"""The sender's loop, with the outside in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.unit.notifier.builders import KIM, RETRIES, a_notification, an_entry
from tests.unit.notifier.fakes import FixedRenderer, MemoryStore, ScriptedChannel

from notifier.application.handlers.delivery import Delivery, DeliveryPolicy
from notifier.domain.delivery import Answer
from notifier.domain.notification import Status
from notifier.entrypoints.pollers import Sender

LEASE = timedelta(minutes=2)


class Post:
    """A sender on a store, a channel and a clock; nothing but waking makes it look (its interval is an hour)."""

    def __init__(self, channel: ScriptedChannel | None = None, concurrency: int = 3) -> None:
        self.channel = channel or ScriptedChannel()
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.commits = 0
        policy = DeliveryPolicy(retries=RETRIES, lease=LEASE)
        delivery = Delivery(FixedRenderer(), {"email": self.channel}, policy, self.clock, "me", lambda: 0.0)
        self.sender = Sender(
            delivery,
            self.store.open,
            [self.channel],
            self.clock,
            concurrency=concurrency,
            interval_s=3600.0,
            grace=timedelta(milliseconds=10),
            on_commit=self._note_commit,
        )

    def _note_commit(self) -> None:
        self.commits += 1

    async def add(self, *names: str) -> None:
        """Pending notifications for Kim."""
        async with self.store.open() as work:
            await work.directory.record([an_entry(email=KIM.email, role="owner")])
            await work.notifications.add([a_notification(name) for name in names], self.clock.now())
        self.sender.wake()

    async def statuses(self) -> list[Status]:
        """Of all notifications, by id."""
        async with self.store.open() as work:
            found = await work.notifications.page(None, None, None, 100)
        return [each.status for each in sorted(found, key=lambda each: each.id)]

    async def all_are(self, status: Status) -> bool:
        """Whether there is nothing else."""
        return set(await self.statuses()) == {status}

    async def some_are(self, status: Status) -> bool:
        """Whether there is one."""
        return status in await self.statuses()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The loop runs during the block, and is stopped and drained at its end."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.sender.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


def raising(error: Exception, times: int) -> Callable[[], None]:
    """Raises the first few times it is called."""
    left = [error] * times

    def call() -> None:
        if left:
            raise left.pop()

    return call


async def test_waking_sends_what_is_due_and_wakes_the_relay() -> None:
    post = Post()
    async with post.running():
        await post.add("a", "b")
        await eventually(lambda: post.all_are(Status.SENT))
    assert post.commits == 2
    assert len(post.channel.sent) == 2


async def test_no_more_than_allowed_are_in_flight_and_none_is_left_over() -> None:
    post = Post(concurrency=3)
    post.channel.gate.clear()
    async with post.running():
        await post.add(*(f"n-{number}" for number in range(10)))
        await eventually(lambda: post.channel.in_flight == 3)
        post.sender.wake()
        await post.add("one-more")
        post.channel.gate.set()
        await eventually(lambda: post.all_are(Status.SENT))
    assert post.channel.most_in_flight == 3
    assert len(post.channel.sent) == 11


async def test_one_slow_send_keeps_the_others_going() -> None:
    post = Post(concurrency=2)
    post.channel.gate.clear()
    async with post.running():
        await post.add("slow")
        await eventually(lambda: post.channel.in_flight == 1)
        assert await post.statuses() == [Status.SENDING]
        await post.add("z-other")
        await eventually(lambda: post.channel.in_flight == 2)
        post.channel.gate.set()
        await eventually(lambda: post.all_are(Status.SENT))


async def test_no_transaction_is_open_while_a_message_is_sent() -> None:
    post = Post()
    seen: list[int] = []
    post.channel.on_send = lambda: seen.append(post.store.open_transactions)
    async with post.running():
        await post.add("a")
        await eventually(lambda: post.all_are(Status.SENT))
    assert seen == [0]


async def test_stopping_gives_up_what_hangs_and_records_it_as_a_retry() -> None:
    post = Post()
    post.channel.gate.clear()
    async with post.running():
        await post.add("hangs")
        await eventually(lambda: post.channel.in_flight == 1)
    assert await post.statuses() == [Status.RETRY]


async def test_stopping_finishes_what_is_nearly_done() -> None:
    post = Post()
    async with post.running():
        await post.add("a")
        await eventually(lambda: len(post.channel.sent) == 1)
    assert await post.statuses() == [Status.SENT]


async def test_an_outcome_is_recorded_again_while_the_database_is_away() -> None:
    post = Post()
    post.channel.on_send = lambda: setattr(post.store, "fail", raising(ConnectionError(), 1))
    async with post.running():
        await post.add("a")
        await eventually(lambda: post.all_are(Status.SENT))
    assert len(post.channel.sent) == 1


async def test_a_record_is_not_tried_beyond_the_lease() -> None:
    post = Post()

    def outlast_the_lease() -> None:
        if not post.channel.sent:
            post.clock.advance(LEASE)
            post.store.fail = raising(ConnectionError(), 1)

    post.channel.on_send = outlast_the_lease
    async with post.running():
        await post.add("a")
        await eventually(lambda: post.all_are(Status.SENT))
    assert len(post.channel.sent) == 2


async def test_a_record_that_fails_for_good_leaves_it_to_the_lease() -> None:
    post = Post()
    post.channel.on_send = lambda: setattr(post.store, "fail", raising(ValueError("a bug"), 1))
    async with post.running():
        await post.add("a")
        await eventually(lambda: len(post.channel.sent) == 1)
    assert await post.statuses() == [Status.SENDING]
    assert post.commits == 0


async def test_an_attempt_that_breaks_off_leaves_the_others_alone() -> None:
    post = Post(concurrency=1)
    post.channel.on_send = raising(RuntimeError("a bug"), 1)
    async with post.running():
        await post.add("a", "b")
        await eventually(lambda: len(post.channel.sent) == 1)
        await eventually(lambda: post.some_are(Status.SENT))
    assert sorted(await post.statuses()) == [Status.SENDING, Status.SENT]


async def test_one_who_lost_the_lease_records_nothing() -> None:
    post = Post()
    post.channel.gate.clear()
    async with post.running():
        await post.add("a")
        await eventually(lambda: post.channel.in_flight == 1)
        async with post.store.open() as work:
            now = post.clock.advance(LEASE)
            (other,) = await work.notifications.claim("other", now, now + LEASE, 1)
        post.channel.gate.set()
        await eventually(lambda: post.commits == 1)
        assert await post.statuses() == [Status.SENDING]
    assert other.attempt == 2


async def test_a_retry_is_sent_when_it_is_due() -> None:
    post = Post(ScriptedChannel(Answer("deferred", "451", 451), Answer("accepted", "Kept", 250)))
    async with post.running():
        await post.add("a")
        await eventually(lambda: post.all_are(Status.RETRY))
        post.clock.advance(timedelta(seconds=5))
        post.sender.wake()
        await eventually(lambda: post.all_are(Status.SENT))
