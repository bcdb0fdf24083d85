"""What every implementation of ports.Runs must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import replace

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_run
from tests.unit.playbooks.contracts.rows import DAY, HOUR, MINUTE, a_result, ids, with_runs

from playbooks.application.model import EVERYTHING, Switch
from playbooks.application.ports import Transactions
from playbooks.domain.run import Awaits, exit_run


class RunsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_active_runs_are_found_by_account(self, transactions: Transactions) -> None:
        mine = a_run("run-1")
        ended = a_run("run-2", playbook="b", status="completed", due_at=None, ended_at=START)
        other = a_run("run-3", account_id="other", crossing_id="crossing-2")
        async with transactions.begin() as store:
            await with_runs(store, mine, ended, other)
            assert await store.runs.lock_active(["acme"]) == [mine]
            assert ids(await store.runs.lock_active(["other", "acme"])) == ["run-1", "run-3"]
            assert await store.runs.lock_active([]) == []

    async def test_runs_are_found_by_id_ended_or_not(self, transactions: Transactions) -> None:
        ended = a_run("run-2", account_id="other", status="completed", due_at=None)
        async with transactions.begin() as store:
            await with_runs(store, a_run(), ended)
            assert await store.runs.lock(["run-2", "run-1", "run-9"]) == [a_run(), ended]

    async def test_an_account_has_one_active_run_of_a_purpose(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await with_runs(store, a_run("run-1"), a_run("run-3", playbook="b"))
        for second in (a_run("run-2"), a_run("run-2", playbook="b", purpose="account_at_risk")):
            with pytest.raises(Exception, match="active"):
                async with transactions.begin() as store:
                    await store.runs.add([second])
        async with transactions.begin() as store:
            await store.runs.update([exit_run(a_run("run-1"), "left", START, "crossing-1")])
            await store.runs.add([a_run("run-2")])
            assert ids(await store.runs.lock_active(["acme"])) == ["run-2", "run-3"]

    async def test_starts_are_counted_by_playbook(self, transactions: Transactions) -> None:
        runs = [
            a_run("run-1", account_id="a", started_at=START - HOUR),
            a_run("run-2", account_id="b", started_at=START - HOUR + MINUTE),
            a_run("run-3", account_id="c", status="exited", due_at=None),
            a_run("run-4", account_id="d", playbook="b"),
        ]
        async with transactions.begin() as store:
            await with_runs(store, *runs)
            wanted = ["account_at_risk", "b", "nothing"]
            found = await store.runs.starts_since(wanted, START - HOUR)
            assert dict(found) == {"account_at_risk": 2, "b": 1}
            assert dict(await store.runs.starts_since([], START - HOUR)) == {}

    async def test_due_runs_come_longest_due_first(self, transactions: Transactions) -> None:
        runs = [
            a_run("run-1", account_id="a", due_at=START - MINUTE),
            a_run("run-2", account_id="b", due_at=START - 2 * MINUTE),
            a_run("run-3", account_id="c", due_at=START),
            a_run("run-4", account_id="d", due_at=START + MINUTE),
            a_run("run-5", account_id="e", status="failed", due_at=None),
        ]
        async with transactions.begin() as store:
            await with_runs(store, *runs)
        async with transactions.begin() as store:
            assert await store.runs.due(START, 2) == ["run-2", "run-1"]
            assert await store.runs.due(START, 9) == ["run-2", "run-1", "run-3"]
            taken = await store.runs.take(["run-4", "run-3", "run-1", "run-9"], START)
            assert taken == [runs[0], runs[2]]
            assert await store.runs.next_due() == START - 2 * MINUTE

    async def test_without_active_runs_nothing_is_due(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await with_runs(store, a_run(status="failed", due_at=None))
            assert await store.runs.due(START, 9) == []
            assert await store.runs.due_suspects(START) == []
            assert await store.runs.take_calls(START, 9) == []
            assert await store.runs.next_due() is None

    @pytest.mark.parametrize("name", ["account_at_risk", EVERYTHING])
    async def test_nothing_of_a_paused_playbook_is_due(self, transactions: Transactions, name: str) -> None:
        paused = Switch(name=name, state="paused", reason="stop", actor="person:ana", at=START)
        late = START + DAY
        async with transactions.begin() as store:
            await with_runs(
                store,
                a_run("run-1"),
                a_run("run-2", account_id="b", awaits="call"),
                a_run("run-3", account_id="c", playbook="b", due_at=late),
            )
            await store.hands.suspect([["run-1"]])
            await store.switches.throw(paused)
        async with transactions.begin() as store:
            others = [] if name == EVERYTHING else ["run-3"]
            assert await store.runs.due(late, 9) == others
            assert await store.runs.due_suspects(late) == []
            assert await store.runs.take_calls(late, 9) == []
            assert await store.runs.next_due() == (late if others else None)
            await store.switches.throw(replace(paused, state="archived"))
            assert await store.runs.due(late, 9) == ["run-3"]
            assert await store.runs.due_suspects(late) == ["run-1"]
            assert ids(await store.runs.take_calls(late, 9)) == ["run-2"]

    async def test_calls_are_taken_by_themselves(self, transactions: Transactions) -> None:
        calling = a_run("run-1", awaits="call")
        async with transactions.begin() as store:
            await with_runs(store, calling, a_run("run-2", account_id="b", due_at=START + MINUTE))
            assert await store.runs.due(START, 9) == []
            assert await store.runs.take(["run-1"], START) == []
            assert await store.runs.take_calls(START, 9) == [calling]
            assert await store.runs.next_due() == START

    async def test_a_claimed_run_comes_back_by_its_fence(self, transactions: Transactions) -> None:
        until = START + MINUTE
        claimed = a_run(awaits="call", lease_until=until, due_at=until, fence=3)
        async with transactions.begin() as store:
            await with_runs(store, a_run(awaits="call"))
            await store.runs.update([claimed])
        async with transactions.begin() as store:
            assert await store.runs.take_calls(START, 9) == []
            assert await store.runs.take_back("run-1", 2) == []
            assert await store.runs.take_back("run-1", 3) == [claimed]
            assert await store.runs.take_calls(until, 9) == [claimed]
            await store.runs.update([replace(claimed, lease_until=None, awaits=None)])
            assert await store.runs.take_back("run-1", 3) == []

    async def test_a_run_keeps_all_of_its_state(self, transactions: Transactions) -> None:
        changed = a_run(
            position=1,
            step="wait",
            awaits="hold",
            wake_at=START + MINUTE,
            due_at=START + 2 * MINUTE,
            held="an escalation",
            held_since=START,
            lease_until=START + HOUR,
            fence=7,
            failures=2,
            error="broken",
            status="exited",
            ended_at=START + 3 * MINUTE,
            reason="at_risk was left",
            exit_crossing_id="crossing-1",
        )
        async with transactions.begin() as store:
            await with_runs(store, a_run(priority=3, purpose="rescue"))
            await store.runs.update([replace(changed, priority=3, purpose="rescue")])
        async with transactions.begin() as store:
            assert await store.runs.lock(["run-1"]) == [replace(changed, priority=3, purpose="rescue")]

    async def test_what_a_wait_needs_is_kept(self, transactions: Transactions) -> None:
        ends = START + MINUTE
        waiting = a_run(position=1, step="wait", awaits="time", wake_at=ends, due_at=ends)
        async with transactions.begin() as store:
            await with_runs(store, waiting)
        async with transactions.begin() as store:
            assert await store.runs.take(["run-1"], START) == []
            assert await store.runs.take(["run-1"], ends) == [waiting]

    async def test_a_step_has_one_result(self, transactions: Transactions) -> None:
        waited = a_result(position=1, step="wait", kind="wait", outcome="waited", until=START)
        whole = a_result(path="short", reason="drawn", ref="task-1", revision=4)
        async with transactions.begin() as store:
            await with_runs(store, a_run(), a_run("run-2", account_id="b"))
            await store.runs.record([waited, whole])
        with pytest.raises(Exception, match=r"run_steps|already"):
            async with transactions.begin() as store:
                await store.runs.record([waited])
        async with transactions.begin() as store:
            found = await store.runs.results(["run-1", "run-2"])
            assert dict(found) == {"run-1": {"tell": whole, "wait": waited}}
            assert dict(await store.runs.results([])) == {}

    @pytest.mark.parametrize(
        ("awaits", "woken"),
        [("condition", 1), ("hold", 1), ("time", 0), ("approval", 0), ("call", 0), (None, 0)],
    )
    async def test_news_wakes_those_that_wait_for_it(
        self, transactions: Transactions, awaits: Awaits | None, woken: int
    ) -> None:
        later = START + DAY
        async with transactions.begin() as store:
            await with_runs(store, a_run(awaits=awaits, due_at=later, wake_at=later))
            assert await store.runs.wake([], START) == 0
            assert await store.runs.wake(["other"], START) == 0
            assert await store.runs.wake(["acme"], START) == woken
            assert await store.runs.wake(["acme"], START) == 0
            assert await store.runs.next_due() == (START if woken else later)

    async def test_nothing_in_nothing_out(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await store.runs.add([])
            await store.runs.update([])
            await store.runs.record([])
            assert await store.runs.lock([]) == []
            assert await store.runs.take([], START) == []
