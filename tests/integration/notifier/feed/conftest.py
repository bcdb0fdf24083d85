"""The feed on PostgreSQL with real HTTP receivers and a clock that is moved by hand."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.channels.receiver import Receiver
from tests.integration.notifier.feed.house import House

from notifier.adapters.outbound import Outbound
from notifier.domain.public_addresses import AddressRules


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A subscriber's endpoint."""
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    """Another subscriber's."""
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
async def house(engine: AsyncEngine) -> AsyncIterator[House]:
    """All of the feed over empty tables."""
    async with engine.begin() as tx:
        await tx.execute(
            text(
                "TRUNCATE account_health, subscriptions, subscription_secrets, feed_told, feed_deliveries, feed_attempts"
            )
        )
    rules = AddressRules.parse((), ("127.0.0.1",))
    async with Outbound(rules) as outbound:
        yield House(engine, outbound)
