"""What every implementation of simulation_history.Past must do; run in memory in unit/ and on PostgreSQL in integration/."""

from datetime import datetime

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, received
from tests.unit.playbooks.contracts.rows import DAY, HOUR

from playbooks.application.ports import Transactions
from playbooks.application.simulation_history import Past


class PastContract:
    """Subclass it with fixtures `transactions` and `past` over one empty store."""

    async def test_crossings_come_page_by_page_in_the_order_they_happened(
        self, transactions: Transactions, past: Past
    ) -> None:
        at = {"c-3": START, "c-1": START + HOUR, "c-2": START + HOUR, "c-0": START + 2 * HOUR}
        told = [received(each, a_crossing(occurred_at=instant)) for each, instant in at.items()]
        async with transactions.begin() as store:
            await store.crossings.remember(list(reversed(told)), START + DAY)
        after: tuple[datetime, str] | None = None
        pages = []
        while page := await past.page(START, START + DAY, after, 2):
            pages.append([each.id for each in page])
            after = (page[-1].crossing.occurred_at, page[-1].id)
        assert pages == [["c-3", "c-1"], ["c-2", "c-0"]]

    async def test_the_beginning_counts_and_the_end_does_not(
        self, transactions: Transactions, past: Past
    ) -> None:
        times = [START - HOUR, START, START + HOUR]
        told = [received(f"c-{n}", a_crossing(occurred_at=at)) for n, at in enumerate(times)]
        async with transactions.begin() as store:
            await store.crossings.remember(told, START)
        found = await past.page(START, START + HOUR, None, 9)
        assert [(each.id, each.crossing) for each in found] == [("c-1", told[1].crossing)]
