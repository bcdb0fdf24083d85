"""What every implementation of ports.Accounts must do; run in memory in unit/ and on PostgreSQL in integration/."""

from tests.unit.playbooks.builders import a_snapshot, received_snapshot

from playbooks.application.model import Unsettled
from playbooks.application.ports import Transactions


class AccountsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_the_newest_revision_wins(self, transactions: Transactions) -> None:
        older, newer = a_snapshot(revision=4), a_snapshot(revision=5, score=None, band=None)
        async with transactions.begin() as store:
            await store.accounts.save([received_snapshot(newer), received_snapshot(a_snapshot("other"))])
            await store.accounts.save([received_snapshot(older)])
            assert await store.accounts.newest(["acme", "nobody"]) == {"acme": newer}

    async def test_a_removed_account_is_forgotten(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot(revision=9))])
            await store.accounts.remove(["acme", "nobody"])
            await store.accounts.save([received_snapshot(a_snapshot(revision=1))])
            assert await store.accounts.newest(["acme"]) == {"acme": a_snapshot(revision=1)}

    async def test_what_nobody_writes_is_settled(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot())])
        async with transactions.begin() as store:
            assert await store.accounts.unsettled(["acme"]) == Unsettled()
            assert await store.accounts.unsettled([]) == Unsettled()

    async def test_no_account_in_none_out(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.accounts.save([])
            await store.accounts.remove([])
            assert await store.accounts.newest([]) == {}
