"""What every implementation of ports.Erasures must do; run in memory in unit/ and on PostgreSQL in integration/."""

from tests.support.clock import START
from tests.unit.playbooks.builders import a_run, a_snapshot, received, received_snapshot
from tests.unit.playbooks.contracts.rows import a_result, a_task, an_approval, an_entry, with_runs

from csm_common.database.outbox import Message
from playbooks.application.model import Audited
from playbooks.application.ports import Transactions


class ErasuresContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_of_an_erased_account_nothing_is_left_but_its_snapshot(
        self, transactions: Transactions
    ) -> None:
        other = a_run("run-2", account_id="other", crossing_id="crossing-2")
        ended = a_run("run-0", crossing_id="crossing-0", status="exited", due_at=None)
        messages = [
            Message("notifications.requests.v1", b"acme", b"{}"),
            Message("notifications.requests.v1", b"other", b"{}"),
            Message("customer.events.v1", b"acme", b"{}"),
        ]
        async with transactions.begin() as store:
            await with_runs(store, a_run(), other, ended)
            await store.accounts.save([received_snapshot(a_snapshot())])
            await store.runs.record([a_result("run-1"), a_result("run-2")])
            await store.tasks.open([a_task(), a_task("task-2", account_id="other", run_id="run-2")])
            await store.approvals.ask(
                [an_approval(), an_approval("approval-2", account_id="other", run_id="run-2")]
            )
            await store.entries.add([an_entry(), an_entry("crossing-2", account_id="other")])
            for account in ("acme", "other"):
                done = Audited(at=START, actor="system", action="a", subject="run:1", account_id=account)
                await store.audit.add([done])
            await store.outbox.add(messages)
        async with transactions.begin() as store:
            erased = await store.erasures.of_accounts({"acme", "unknown"})
        assert {kind: number for kind, number in erased.items() if number} == {
            "steps": 1,
            "notes": 1,
            "tasks": 1,
            "approvals": 1,
            "entries": 1,
            "runs": 2,
            "crossings": 2,
            "audited": 1,
            "requests": 1,
        }
        async with transactions.begin() as store:
            again = await store.erasures.of_accounts({"acme"})
            assert set(again) == set(erased)
            assert not any(again.values())
            assert set(await store.accounts.newest(["acme"])) == {"acme"}
            assert await store.runs.lock(["run-0", "run-1", "run-2"]) == [other]
            assert set(await store.runs.results(["run-1", "run-2"])) == {"run-2"}
            fresh = await store.crossings.remember([received("crossing-1"), received("crossing-2")], START)
        assert [each.id for each in fresh] == ["crossing-1"]
