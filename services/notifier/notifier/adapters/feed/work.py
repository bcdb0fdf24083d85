"""The feed's tables in one transaction."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.adapters.account_health import PostgresAccountHealth
from notifier.adapters.feed.deliveries import PostgresDeliveries
from notifier.adapters.feed.subscriptions import PostgresSubscriptions, SubscriptionCache
from notifier.application.feed_ports import OpenFeed


@dataclass(frozen=True, slots=True)
class PostgresFeed:
    """Implements feed_ports.Feed."""

    health: PostgresAccountHealth
    subscriptions: PostgresSubscriptions
    deliveries: PostgresDeliveries


def feed_in(cache: SubscriptionCache) -> Callable[[AsyncConnection], PostgresFeed]:
    """Makes the feed of a transaction that somebody else has opened and will commit."""

    def make(tx: AsyncConnection) -> PostgresFeed:
        return PostgresFeed(
            PostgresAccountHealth(tx), PostgresSubscriptions(tx, cache), PostgresDeliveries(tx)
        )

    return make


def feed_on(engine: AsyncEngine, cache: SubscriptionCache) -> OpenFeed:
    """Opens transactions on `engine`."""
    make = feed_in(cache)

    @asynccontextmanager
    async def open_feed() -> AsyncIterator[PostgresFeed]:
        async with engine.begin() as tx:
            yield make(tx)

    return open_feed
