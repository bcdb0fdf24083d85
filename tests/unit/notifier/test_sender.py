"""The sender's loop over deliveries of a toy kind: numbers that are due, sent, and written down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.support.clock import ManualClock
from tests.support.waiting import eventually

from notifier.application.ports import Left
from notifier.entrypoints.pollers import Sender

LEASE = timedelta(minutes=2)


class Toys:
    """Deliveries: `due` are claimed in turn, `recorded` once written down; `gate` holds sends back while it is not set."""

    def __init__(self) -> None:
        self.due: list[int] = []
        self.sent: list[int] = []
        self.recorded: list[int] = []
        self.back: list[int] = []
        self.told: list[int] = []
        self.stolen: set[int] = set()
        self.open_transactions = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.places = 1000
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.on_send: Callable[[int], None] = lambda _: None
        self.on_commit: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Fails where `on_commit` does."""
        self.open_transactions += 1
        try:
            yield
            self.on_commit()
        finally:
            self.open_transactions -= 1

    async def claim(self, work: None, limit: int) -> tuple[Sequence[int], Left]:
        """The first that are due; those beyond `places` have to wait for one."""
        self.looks += 1
        free = max(0, min(limit, self.places - self.in_flight))
        taken, self.due = self.due[:free], self.due[free:]
        return taken, "nothing" if not self.due else "more" if free == limit else "for_room"

    def released(self, jobs: Sequence[int]) -> None:
        """Note them."""
        self.back += jobs

    def opened(self) -> bool:
        """Whether there is a place."""
        return self.in_flight < self.places

    async def attempt(self, job: int) -> int:
        """Send it, at the gate."""
        self.on_send(job)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await self.gate.wait()
        self.in_flight -= 1
        self.sent.append(job)
        return job

    async def record(self, work: None, done: Sequence[int]) -> Collection[str]:
        """All but those that somebody else has."""
        ours = [each for each in done if each not in self.stolen]
        self.recorded += ours
        return [str(each) for each in ours]

    def tell(self, done: Sequence[int], ours: Collection[str]) -> None:
        """Note them."""
        self.told += [each for each in done if str(each) in ours]


class Post:
    """A sender of toys; nothing but waking makes it look (its interval is an hour)."""

    def __init__(self, concurrency: int = 3) -> None:
        self.toys = Toys()
        self.clock = ManualClock()
        self.commits = 0
        self.sender: Sender[None, int, int] = Sender(
            self.toys,
            self.toys.transaction,
            self.toys.gate.set,
            self.clock,
            concurrency=concurrency,
            interval_s=3600.0,
            lease=LEASE,
            grace=timedelta(milliseconds=10),
            on_commit=self._note_commit,
        )

    def _note_commit(self) -> None:
        self.commits += 1

    def add(self, *toys: int) -> None:
        """These are due."""
        self.toys.due += toys
        self.sender.wake()

    def all_recorded(self, count: int) -> Callable[[], bool]:
        """Whether so many are written down."""
        return lambda: len(self.toys.recorded) == count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Toys]:
        """The loop runs during the block, and is stopped and drained at its end."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.sender.run(stop))
        try:
            yield self.toys
        finally:
            stop.set()
            await task


def raising(error: Exception, times: int = 1) -> Callable[..., None]:
    """Raises the first few times it is called."""
    left = [error] * times

    def call(*_: object) -> None:
        if left:
            raise left.pop()

    return call


async def test_waking_sends_what_is_due_and_wakes_the_relay() -> None:
    post = Post()
    async with post.running() as toys:
        post.add(1, 2)
        await eventually(post.all_recorded(2))
        await eventually(lambda: sorted(toys.told) == [1, 2])
    assert post.commits >= 1


async def test_no_more_than_allowed_are_in_flight_and_none_is_left_over() -> None:
    post = Post(concurrency=3)
    post.toys.gate.clear()
    async with post.running() as toys:
        post.add(*range(10))
        await eventually(lambda: toys.in_flight == 3)
        post.add(10)
        toys.gate.set()
        await eventually(post.all_recorded(11))
    assert toys.most_in_flight == 3


async def test_who_waits_for_room_is_looked_for_when_something_has_ended() -> None:
    post = Post(concurrency=10)
    post.toys.places = 2
    async with post.running():
        post.add(*range(9))
        await eventually(post.all_recorded(9))
    assert post.toys.most_in_flight <= 2


async def test_what_ends_makes_nobody_look_where_nothing_is_left() -> None:
    post = Post()
    post.toys.gate.clear()
    async with post.running() as toys:
        post.add(1, 2)
        await eventually(lambda: toys.in_flight == 2)
        looks = toys.looks
        toys.gate.set()
        await eventually(post.all_recorded(2))
        assert toys.looks == looks


async def test_one_slow_send_keeps_the_others_going() -> None:
    post = Post(concurrency=2)
    post.toys.gate.clear()
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.in_flight == 1)
        post.add(2)
        await eventually(lambda: toys.in_flight == 2)


async def test_no_transaction_is_open_while_a_message_is_sent() -> None:
    post = Post()
    seen: list[int] = []
    post.toys.on_send = lambda _: seen.append(post.toys.open_transactions)
    async with post.running():
        post.add(1)
        await eventually(post.all_recorded(1))
    assert seen == [0]


async def test_stopping_gives_up_what_hangs_and_records_it() -> None:
    post = Post()
    post.toys.gate.clear()
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.in_flight == 1)
    assert toys.recorded == [1]


async def test_what_ends_while_others_are_written_down_is_written_down_together() -> None:
    post = Post(concurrency=50)
    transactions: list[int] = []
    post.toys.on_commit = lambda: transactions.append(1)
    async with post.running():
        post.add(*range(50))
        await eventually(post.all_recorded(50))
    assert len(transactions) < 25


async def test_an_outcome_is_recorded_again_while_the_database_is_away() -> None:
    post = Post()
    post.toys.on_send = lambda _: setattr(post.toys, "on_commit", raising(ConnectionError()))
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.told == [1])
    assert toys.sent == [1]


async def test_a_record_that_fails_for_good_leaves_it_to_the_lease() -> None:
    post = Post()
    post.toys.on_send = lambda _: setattr(post.toys, "on_commit", raising(ValueError("a bug")))
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.sent == [1])
    assert toys.told == []


async def test_a_record_is_not_tried_beyond_the_lease() -> None:
    post = Post()

    def away_for_long() -> None:
        post.clock.advance(LEASE)
        raise ConnectionError

    post.toys.on_send = lambda _: setattr(post.toys, "on_commit", away_for_long)
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.sent == [1])
    assert toys.told == []


async def test_an_attempt_that_breaks_off_leaves_the_others_alone() -> None:
    post = Post(concurrency=1)
    post.toys.on_send = raising(RuntimeError("a bug"))
    async with post.running() as toys:
        post.add(1, 2)
        await eventually(lambda: toys.recorded == [2])


async def test_what_was_claimed_in_vain_is_given_back() -> None:
    post = Post()
    post.toys.on_commit = raising(ConnectionError())
    async with post.running() as toys:
        post.add(1)
        await eventually(lambda: toys.back == [1])
    assert toys.sent == []


async def test_one_who_lost_the_lease_tells_nothing() -> None:
    post = Post()
    post.toys.stolen = {1}
    async with post.running() as toys:
        post.add(1, 2)
        await eventually(lambda: toys.told == [2])
    assert sorted(toys.sent) == [1, 2]
