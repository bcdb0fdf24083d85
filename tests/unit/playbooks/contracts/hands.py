"""What every implementation of ports.Hands and ports.Freshness must do; run in memory in unit/ and on PostgreSQL in
integration/."""

from dataclasses import replace

from tests.support.clock import START
from tests.unit.playbooks.builders import a_run
from tests.unit.playbooks.contracts.rows import HOUR, MINUTE, with_runs

from playbooks.application.ports import Transactions


class HandsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_what_a_dead_worker_had_in_hand_is_told_once(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.hands.hold("dead", ["run-2", "run-1"], START)
            await store.hands.hold("alive", ["run-3"], START + MINUTE)
        async with transactions.begin() as store:
            assert list(await store.hands.abandoned(START)) == []
            found = [list(each) for each in await store.hands.abandoned(START + MINUTE)]
            assert found == [["run-2", "run-1"]]
        async with transactions.begin() as store:
            assert list(await store.hands.abandoned(START + MINUTE)) == []

    async def test_who_is_done_leaves_nothing_behind(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.hands.hold("worker", ["run-1"], START)
            await store.hands.release("worker")
            await store.hands.release("worker")
            assert list(await store.hands.abandoned(START + HOUR)) == []

    async def test_a_worker_has_one_hand(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.hands.hold("worker", ["run-1"], START)
            await store.hands.hold("worker", ["run-2"], START + MINUTE)
            assert list(await store.hands.abandoned(START + MINUTE)) == []
            assert [list(each) for each in await store.hands.abandoned(START + HOUR)] == [["run-2"]]

    async def test_suspects_are_taken_group_by_group(self, transactions: Transactions) -> None:
        runs = [a_run(f"run-{number}", account_id=f"account-{number}") for number in range(5)]
        async with transactions.begin() as store:
            await with_runs(store, *runs)
            await store.hands.suspect([["run-0", "run-1"], ["run-2", "run-3"]])
        async with transactions.begin() as store:
            assert await store.runs.due(START, 9) == ["run-4"]
            first = await store.runs.due_suspects(START)
            assert sorted(first) in (["run-0", "run-1"], ["run-2", "run-3"])
            await store.runs.update([replace(run, position=1) for run in runs if run.id in first])
        async with transactions.begin() as store:
            second = await store.runs.due_suspects(START)
            assert sorted([*first, *second]) == ["run-0", "run-1", "run-2", "run-3"]

    async def test_what_may_kill_is_a_suspect_until_it_has_ended_a_step(
        self, transactions: Transactions
    ) -> None:
        runs = [a_run("run-1", account_id="a"), a_run("run-2", account_id="b")]
        async with transactions.begin() as store:
            await with_runs(store, *runs, a_run("run-3", account_id="c", status="failed", due_at=None))
            await store.hands.suspect([["run-1", "run-3", "run-9"]])
        async with transactions.begin() as store:
            assert await store.runs.due(START, 9) == ["run-2"]
            assert await store.runs.due_suspects(START) == ["run-1"]
            assert await store.runs.take(["run-1"], START) == [runs[0]]
            await store.runs.update([replace(runs[0], failures=1)])
            assert await store.runs.due_suspects(START) == ["run-1"]
            await store.runs.update([replace(runs[0], position=1)])
        async with transactions.begin() as store:
            assert await store.runs.due_suspects(START) == []
            assert sorted(await store.runs.due(START, 9)) == ["run-1", "run-2"]


class FreshnessContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_the_partition_furthest_behind_tells_the_age(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            assert await store.freshness.oldest() is None
            await store.freshness.mark({})
            await store.freshness.mark({0: START, 1: START + HOUR})
            assert await store.freshness.oldest() == START
            await store.freshness.mark({0: START + 2 * HOUR})
            assert await store.freshness.oldest() == START + HOUR

    async def test_no_partition_grows_older(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.freshness.mark({0: START + HOUR})
            await store.freshness.mark({0: START})
            assert await store.freshness.oldest() == START + HOUR
