"""What every implementation of ports.Entries must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import replace

import pytest
from tests.unit.playbooks.builders import a_run
from tests.unit.playbooks.contracts.rows import an_entry, with_runs

from playbooks.application.ports import Transactions


class EntriesContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_a_crossing_is_decided_once_for_a_playbook(self, transactions: Transactions) -> None:
        started = replace(an_entry(), playbook="b", outcome="started", run_id="run-1", code=None, reason=None)
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            await store.entries.add([an_entry(), started])
            await store.entries.add([])
        with pytest.raises(Exception, match=r"entries|already"):
            async with transactions.begin() as store:
                await store.entries.add([an_entry(version=2)])
