"""The active subscriptions of a process: read once in a while, and never older than that."""

import pytest
from tests.integration.notifier.feed.house import House

from csm_common.errors import ConflictError
from notifier.adapters.feed.subscriptions import SubscriptionCache
from notifier.application.feed_desk import MOST, FeedDesk
from notifier.application.feed_ports import Wants
from notifier.domain.subscriptions import Filters
from notifier.entrypoints.subscriptions_bodies import SubscriptionChange

URL = "http://127.0.0.1:9/hook"


class Ticking:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """As time.monotonic."""
        return self.now


async def names(house: House, cache: SubscriptionCache) -> list[tuple[str, float]]:
    """What a process would tell: by the least change, for want of names."""
    async with house.engine.connect() as connection:
        return [(each.id, each.wants.filters.min_change) for each in await cache.active(connection)]


async def test_changes_are_seen_when_the_time_is_over(house: House) -> None:
    ticking = Ticking()
    cache = SubscriptionCache(max_age_s=0.5, monotonic=ticking)
    assert await names(house, cache) == []
    id_, _ = await house.subscribe(URL, Wants(filters=Filters(where="score < 50.0")))
    assert await names(house, cache) == []
    ticking.now = 0.5
    assert await names(house, cache) == [(id_, 1.0)]
    await change(house.desk, id_)
    ticking.now = 1.0
    assert await names(house, cache) == [(id_, 7.0)]
    await house.desk.disable(id_, "by hand")
    ticking.now = 1.5
    assert await names(house, cache) == []


async def change(desk: FeedDesk, id_: str) -> None:
    """Another least change."""
    body = SubscriptionChange.model_validate({"filters": {"min_change": 7}})
    await desk.change(id_, None, body.draft())


async def test_a_condition_is_compiled_once_for_each_version(house: House) -> None:
    cache = SubscriptionCache(max_age_s=0.0)
    await house.subscribe(URL, Wants(filters=Filters(where="score < 50.0")))
    async with house.engine.connect() as connection:
        (first,) = await cache.active(connection)
        (second,) = await cache.active(connection)
    assert first is second


async def test_there_is_a_bound_on_subscriptions(house: House) -> None:
    async with house.open_feed() as feed:
        for number in range(MOST):
            await feed.subscriptions.create(f"s-{number}", "n", URL, Wants(), "whsec_x", house.clock.now())
    with pytest.raises(ConflictError, match=str(MOST)):
        await house.subscribe(URL)
