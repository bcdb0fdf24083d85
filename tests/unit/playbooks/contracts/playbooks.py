"""What every implementation of ports.Playbooks must do; run in memory in unit/ and on PostgreSQL in integration/."""

from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, a_definition, a_snapshot

from playbooks.application.model import Known, PlaybookKey
from playbooks.application.ports import Transactions


class PlaybooksContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_a_version_is_its_content(self, transactions: Transactions) -> None:
        first, second = a_definition(), a_definition(steps=(TASK,))
        shipped: list[PlaybookKey] = []
        for definition in (first, first, second, first):
            async with transactions.begin() as store:
                shipped += await store.playbooks.ship([definition], START)
        assert [version for _, version in shipped] == [1, 1, 2, 1]

    async def test_exactly_what_was_shipped_last_is_active(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.playbooks.ship([a_definition("a"), a_definition("b")], START)
        async with transactions.begin() as store:
            await store.playbooks.ship([a_definition("a", steps=(TASK,)), a_definition("c")], START)
            active = await store.playbooks.active()
            older = await store.playbooks.load([("a", 1), ("b", 1)])
        assert [(each.name, each.version) for each in active] == [("a", 2), ("c", 1)]
        assert older["a", 1].definition == a_definition("a")
        assert older["b", 1].ask("true", Known(snapshot=a_snapshot())).admitted

    async def test_no_version_is_loaded_where_none_is_asked_for(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            assert await store.playbooks.load([]) == {}
