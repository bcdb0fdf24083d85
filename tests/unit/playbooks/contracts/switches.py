"""What every implementation of ports.Switches must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import replace

from tests.support.clock import START

from playbooks.application.model import EVERYTHING, Switch
from playbooks.application.ports import Transactions

PAUSED = Switch(name="usage_falling", state="paused", reason="holidays", actor="person:ana", at=START)


class SwitchesContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_nothing_was_ever_thrown_at_first(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            assert await store.switches.all() == {}

    async def test_what_was_thrown_last_counts(self, transactions: Transactions) -> None:
        everything = replace(PAUSED, name=EVERYTHING)
        resumed = replace(PAUSED, state="active", reason="over", actor="key:crm")
        async with transactions.begin() as store:
            await store.switches.throw(PAUSED)
            await store.switches.throw(everything)
            await store.switches.throw(resumed)
        async with transactions.begin() as store:
            assert await store.switches.all() == {"usage_falling": resumed, EVERYTHING: everything}
