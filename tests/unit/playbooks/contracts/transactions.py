"""What every implementation of ports.Transactions must do; run in memory in unit/ and on PostgreSQL in integration/."""

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_run, a_snapshot, received, received_snapshot
from tests.unit.playbooks.contracts.rows import UndoneError, with_runs

from csm_common.database.outbox import Message
from playbooks.application.ports import Transactions
from playbooks.domain.run import exit_run


class TransactionsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_a_transaction_lasts_when_its_block_ends(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot())])
        async with transactions.begin() as store:
            assert await store.accounts.newest(["acme"]) == {"acme": a_snapshot()}

    async def test_nothing_of_a_transaction_that_raises_lasts(self, transactions: Transactions) -> None:
        async def write_and_raise() -> None:
            async with transactions.begin() as store:
                await store.accounts.save([received_snapshot(a_snapshot())])
                await with_runs(store, a_run())
                raise UndoneError

        with pytest.raises(UndoneError):
            await write_and_raise()
        async with transactions.begin() as store:
            assert await store.accounts.newest(["acme"]) == {}
            assert await store.playbooks.active() == []
            assert await store.runs.next_due() is None

    async def test_what_a_transaction_that_raises_has_changed_is_as_it_was(
        self, transactions: Transactions
    ) -> None:
        async def write_and_raise() -> None:
            async with transactions.begin() as store:
                await store.runs.update([exit_run(a_run(), "left", START)])
                await store.accounts.remove(["acme"])
                await store.erasures.of_accounts(["acme"])
                raise UndoneError

        async with transactions.begin() as store:
            await with_runs(store, a_run())
            await store.accounts.save([received_snapshot(a_snapshot())])
        with pytest.raises(UndoneError):
            await write_and_raise()
        async with transactions.begin() as store:
            assert await store.runs.due(START, 9) == ["run-1"]
            assert await store.runs.lock_active(["acme"]) == [a_run()]
            assert await store.crossings.remember([received("crossing-1")], START) == []
            assert set(await store.accounts.newest(["acme"])) == {"acme"}

    async def test_messages_can_be_written(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.outbox.add(
                [Message("customer.events.v1", b"acme", b"{}", {"traceparent": "00-1-2-01"})]
            )
            await store.outbox.add([])
