"""No news is missed by a run that waits for it, wherever the two transactions meet: the one that takes the run and the one that
brings the snapshot are laid over each other at every point on PostgreSQL.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition, a_snapshot, received_snapshot
from tests.unit.playbooks.engine.examples import notify, wait_until
from tests.unit.playbooks.engine.service import Service
from tests.unit.playbooks.engine.tables import PostgresTables

from playbooks.adapters.conditions import stored_condition
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.steps import Rules
from playbooks.application.model import ReceivedSnapshot, Unsettled
from playbooks.application.ports import Store
from playbooks.application.view import Holding
from playbooks.domain.definition import Definition

GOOD = a_definition(steps=(wait_until(condition="score >= 60.0", timeout="14d"),))
SELLING = a_definition(steps=(notify(sales=True),))
HOLDING = Holding(condition=stored_condition("score < 60.0"), reason="the score is low")
SOON = timedelta(seconds=10)


@pytest.fixture
def service(adapters: Adapters) -> Service:
    return Service(
        adapters.transactions,
        PostgresTables(adapters.engine),
        rules=Rules(hold=HOLDING, retry_after_s=(1.0,)),
    )


def good_news(revision: int = 9) -> ReceivedSnapshot:
    return received_snapshot(a_snapshot(revision=revision, score=75.0))


class News:
    """A snapshot's transaction in two strides: written, and committed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stack = AsyncExitStack()

    async def write(self, news: ReceivedSnapshot) -> None:
        """All that the consumer does of it."""
        store: Store = await self._stack.enter_async_context(self._service.transactions.begin())
        await keep_accounts(store, [], [news], self._service.clock.now())

    async def commit(self) -> None:
        """And it is seen."""
        await self._stack.aclose()


@asynccontextmanager
async def news_of(service: Service) -> AsyncIterator[News]:
    news = News(service)
    try:
        yield news
    finally:
        await news.commit()


@pytest.mark.parametrize("definition", [GOOD, SELLING], ids=["waits for a condition", "is held back"])
@pytest.mark.parametrize("known", [True, False], ids=["known account", "new account"])
@pytest.mark.parametrize("written", range(4), ids=lambda each: f"written before look {each}")
@pytest.mark.parametrize("looks", range(4), ids=lambda each: f"committed {each} looks later")
async def test_news_that_comes_while_a_run_is_looked_at_is_seen(
    service: Service, definition: Definition, known: bool, written: int, looks: int
) -> None:
    """A run is looked at up to three times: it is marked, it is looked at again, and it goes to sleep."""
    if known:
        await service.learn(revision=1, score=20.0)
    await service.begin(definition)
    await service.tick(written)
    async with news_of(service) as news:
        await news.write(good_news())
        await service.tick(looks)
    await service.later(SOON)
    assert (await service.run()).status == "completed"


@pytest.mark.parametrize("definition", [GOOD, SELLING], ids=["waits for a condition", "is held back"])
async def test_news_waits_for_a_look_that_has_begun_and_then_wakes_the_run(
    service: Service, adapters: Adapters, definition: Definition
) -> None:
    """The look has read old news and is about to write down that it goes to sleep."""
    await service.learn(revision=1, score=20.0)
    await service.begin(definition)
    await service.tick()
    async with adapters.transactions.begin() as store:
        [run] = await store.runs.take([(await service.run()).id], START)
        assert await store.accounts.unsettled([run.account_id]) == Unsettled()
        bringing = asyncio.create_task(service.learn(revision=9, score=75.0))
        await asyncio.wait({bringing}, timeout=0.2)
        assert not bringing.done()
    await bringing
    await service.later(SOON)
    assert (await service.run()).status == "completed"


async def test_news_of_a_batch_before_does_not_hide_that_of_the_one_behind_it(service: Service) -> None:
    """The run is due because of the first; it is looked at while the second is written."""
    await service.learn(revision=1, score=20.0)
    await service.begin(GOOD)
    await service.settle()
    await service.learn(revision=2, score=30.0)
    async with news_of(service) as news:
        await news.write(good_news())
        await service.tick(3)
    await service.later(SOON)
    assert (await service.run()).status == "completed"


async def test_a_run_without_news_sleeps(service: Service) -> None:
    await service.learn(revision=1, score=20.0)
    await service.begin(GOOD)
    await service.settle()
    assert (await service.run()).due_at == START + timedelta(days=14)
