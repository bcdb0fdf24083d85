"""What every implementation of ports.Crossings must do; run in memory in unit/ and on PostgreSQL in integration/."""

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, received

from playbooks.application.ports import Transactions


class CrossingsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_a_crossing_is_new_once(self, transactions: Transactions) -> None:
        one, two = received("c-1", traceparent="00-1-2-01"), received("c-2", a_crossing("other"))
        async with transactions.begin() as store:
            assert await store.crossings.remember([two, one, two], START) == [two, one]
        async with transactions.begin() as store:
            three = received("c-3")
            assert await store.crossings.remember([one, three], START) == [three]
            assert await store.crossings.load(["c-1", "c-9"]) == {"c-1": one}

    async def test_no_crossing_is_loaded_where_none_is_asked_for(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            assert await store.crossings.load([]) == {}
