"""The feed's parts put together: its consumer, its desk and its sender, over one database and one clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START, ManualClock

from csm_common.kafka.record import Outcome, Record
from notifier.adapters.feed.conditions import check_condition
from notifier.adapters.feed.posting import SignedPost
from notifier.adapters.feed.subscriptions import SubscriptionCache
from notifier.adapters.feed.work import feed_in, feed_on
from notifier.adapters.outbound import Outbound
from notifier.application.feed_delivery import FeedDelivery, FeedRules
from notifier.application.feed_desk import FeedDesk
from notifier.application.feed_ports import Wants
from notifier.application.lanes import Lanes
from notifier.domain.breakers import BreakerRules
from notifier.domain.retries import RetrySchedule
from notifier.domain.subscriptions import DisableRules
from notifier.entrypoints.feed_consumer import FeedConsumer
from notifier.entrypoints.pollers import Sender

LEASE = timedelta(seconds=60)
RULES = FeedRules(
    retries=RetrySchedule.parse("5s, 30s"),
    lease=LEASE,
    disable=DisableRules(after=timedelta(days=3), given_up=3),
    at_once=4,
)


class House:
    """`take` hands records to the consumer, `send` delivers all that is due."""

    def __init__(self, engine: AsyncEngine, outbound: Outbound) -> None:
        self.engine = engine
        self.clock = ManualClock(START)
        self.post = SignedPost(outbound)
        self._outbound = outbound
        self.cache = SubscriptionCache(max_age_s=0.0)
        self.open_feed = feed_on(engine, self.cache)
        self.news = 0
        self.consumer = FeedConsumer(feed_in(self.cache), self.clock, self._noted)
        self.desk = FeedDesk(
            self.open_feed,
            self.post,
            self.clock,
            check_url=self.post.check,
            check_condition=check_condition,
            overlap=timedelta(hours=24),
            replay_per_s=1.0,
        )

    def _noted(self) -> None:
        self.news += 1

    def delivery(self, owner: str = "sender-1", rules: FeedRules = RULES) -> FeedDelivery:
        """A sender's deliveries, with what it knows of endpoints."""
        lanes = Lanes(BreakerRules(failures=1_000))
        return FeedDelivery(self.post, rules, lanes, self.clock, owner, lambda: 0.0)

    async def subscribe(self, url: str, wants: Wants | None = None, name: str = "CRM") -> tuple[str, str]:
        """A subscription's id and secret."""
        view, secret = await self.desk.create(name, url, wants or Wants())
        return view.id, secret

    async def take(self, *records: Record) -> Outcome:
        """A batch, committed."""
        async with self.engine.begin() as tx:
            outcome = await self.consumer.handle(tx, records)
        outcome.committed()
        return outcome

    async def send(self, delivery: FeedDelivery | None = None) -> int:
        """Deliver what is due until nothing is; how many attempts that took."""
        delivery, made = delivery or self.delivery(), 0
        while True:
            async with self.open_feed() as feed:
                jobs, _ = await delivery.claim(feed, 100)
            if not jobs:
                return made
            done = await asyncio.gather(*map(delivery.attempt, jobs))
            async with self.open_feed() as feed:
                ours = await delivery.record(feed, done)
            delivery.tell(done, ours)
            made += len(done)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Sender[Any, Any, Any]]:
        """A sender runs during the block."""
        sender: Sender[Any, Any, Any] = Sender(
            self.delivery(),
            self.open_feed,
            self._outbound.abandon,
            self.clock,
            name="feed",
            concurrency=16,
            interval_s=3600.0,
            lease=LEASE,
            grace=timedelta(milliseconds=10),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(sender.run(stop))
        try:
            yield sender
        finally:
            stop.set()
            await running

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]
