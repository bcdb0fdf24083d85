"""What every implementation of the ports must do; run on the fake in unit/ and on PostgreSQL in integration/."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import (
    TASK,
    WAIT,
    a_crossing,
    a_definition,
    a_run,
    a_snapshot,
    received,
    received_snapshot,
)

from csm_common.database.outbox import Message
from playbooks.application.model import Entry, PlaybookKey, Task
from playbooks.application.ports import Store, Transactions
from playbooks.application.reads import Reads, RunFilter, TaskFilter, entry_key
from playbooks.domain.run import Run, StepResult, exit_run

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class World:
    """One implementation, empty."""

    transactions: Transactions
    reads: Reads


class UndoneError(Exception):
    """Raised to roll a transaction back."""


def a_task(task_id: str = "task-1", **members: object) -> Task:
    task = Task(
        id=task_id,
        account_id="acme",
        type="follow_up",
        title="Call them",
        reason="at_risk",
        owner="maria",
        due_at=START + timedelta(days=1),
        run_id="run-1",
        created_at=START,
        updated_at=START,
    )
    return replace(task, **members)  # type: ignore[arg-type]


def a_result(run_id: str) -> StepResult:
    return StepResult(run_id=run_id, position=0, step="tell", kind="notify", at=START, outcome="requested")


def an_entry(crossing_id: str, account_id: str) -> Entry:
    return Entry(
        crossing_id=crossing_id,
        playbook="account_at_risk",
        version=1,
        account_id=account_id,
        decided_at=START,
        outcome="refused",
        code="audience",
        reason="not in the audience",
    )


async def with_runs(store: Store, *runs: Run) -> None:
    """The runs, with the playbooks and crossings they refer to."""
    names = sorted({run.playbook for run in runs})
    await store.playbooks.publish([a_definition(name) for name in names], START)
    crossings = {run.crossing_id: received(run.crossing_id, a_crossing(run.account_id)) for run in runs}
    await store.crossings.remember(list(crossings.values()), START)
    await store.runs.add(runs)


class StoreContract:
    """Subclass it with a fixture `world`."""

    # ---- transactions

    async def test_a_transaction_lasts_when_its_block_ends(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot())])
        async with world.transactions.begin() as store:
            assert await store.accounts.newest(["acme"]) == {"acme": a_snapshot()}

    async def test_nothing_of_a_transaction_that_raises_lasts(self, world: World) -> None:
        async def write_and_raise() -> None:
            async with world.transactions.begin() as store:
                await store.accounts.save([received_snapshot(a_snapshot())])
                await with_runs(store, a_run())
                raise UndoneError

        with pytest.raises(UndoneError):
            await write_and_raise()
        async with world.transactions.begin() as store:
            assert await store.accounts.newest(["acme"]) == {}
            assert await store.playbooks.active() == []

    # ---- playbooks

    async def test_a_version_is_its_content(self, world: World) -> None:
        first, second = a_definition(), a_definition(steps=(TASK,))
        published: list[PlaybookKey] = []
        for definition in (first, first, second, first):
            async with world.transactions.begin() as store:
                published += await store.playbooks.publish([definition], START)
        assert [version for _, version in published] == [1, 1, 2, 1]

    async def test_exactly_what_was_published_last_is_active(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await store.playbooks.publish([a_definition("a"), a_definition("b")], START)
        async with world.transactions.begin() as store:
            await store.playbooks.publish([a_definition("a", steps=(TASK,)), a_definition("c")], START)
            active = await store.playbooks.active()
            older = await store.playbooks.load([("a", 1), ("b", 1)])
        assert [(each.name, each.version) for each in active] == [("a", 2), ("c", 1)]
        assert older["a", 1].definition == a_definition("a")
        assert older["b", 1].audience(a_snapshot()).admitted
        listed = await world.reads.playbooks()
        assert [(each.name, each.version, each.active) for each in listed] == [
            ("a", 2, True),
            ("a", 1, False),
            ("b", 1, False),
            ("c", 1, True),
        ]
        assert listed[1].definition == a_definition("a")

    # ---- accounts

    async def test_the_newest_revision_wins(self, world: World) -> None:
        older, newer = a_snapshot(revision=4), a_snapshot(revision=5, score=None, band=None)
        async with world.transactions.begin() as store:
            await store.accounts.save([received_snapshot(newer), received_snapshot(a_snapshot("other"))])
            await store.accounts.save([received_snapshot(older)])
            assert await store.accounts.newest(["acme", "nobody"]) == {"acme": newer}

    async def test_a_removed_account_is_forgotten(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await store.accounts.save([received_snapshot(a_snapshot(revision=9))])
            await store.accounts.remove(["acme", "nobody"])
            await store.accounts.save([received_snapshot(a_snapshot(revision=1))])
            assert await store.accounts.newest(["acme"]) == {"acme": a_snapshot(revision=1)}

    async def test_nothing_in_nothing_out(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await store.accounts.save([])
            await store.accounts.remove([])
            assert await store.accounts.newest([]) == {}
            assert await store.crossings.load([]) == {}
            assert await store.playbooks.load([]) == {}
            assert await store.runs.lock_active([]) == []
            await store.runs.add([])
            await store.runs.update([])
            await store.runs.record([])
            await store.entries.add([])
            assert await store.tasks.open([]) == {}
            await store.outbox.add([])

    # ---- crossings

    async def test_a_crossing_is_new_once(self, world: World) -> None:
        one, two = received("c-1", traceparent="00-1-2-01"), received("c-2", a_crossing("other"))
        async with world.transactions.begin() as store:
            assert await store.crossings.remember([two, one, two], START) == [two, one]
        async with world.transactions.begin() as store:
            three = received("c-3")
            assert await store.crossings.remember([one, three], START) == [three]
            assert await store.crossings.load(["c-1", "c-9"]) == {"c-1": one}

    # ---- runs

    async def test_active_runs_are_found_by_account(self, world: World) -> None:
        mine, ended = (
            a_run("run-1"),
            a_run("run-2", playbook="b", status="completed", due_at=None, ended_at=START),
        )
        async with world.transactions.begin() as store:
            await with_runs(store, mine, ended, a_run("run-3", account_id="other", crossing_id="crossing-2"))
            assert await store.runs.lock_active(["acme"]) == [mine]

    async def test_an_account_has_one_active_run_of_a_playbook(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await with_runs(store, a_run("run-1"))
        with pytest.raises(Exception, match="active"):
            async with world.transactions.begin() as store:
                await store.runs.add([a_run("run-2")])
        async with world.transactions.begin() as store:
            await store.runs.update([exit_run(a_run("run-1"), "left", "crossing-1", START)])
            await store.runs.add([a_run("run-2")])
            assert [run.id for run in await store.runs.lock_active(["acme"])] == ["run-2"]

    async def test_only_runs_that_took_a_step_count_as_starts(self, world: World) -> None:
        never, first, last = (
            a_run("run-1", status="exited", due_at=None, started_at=START + 9 * MINUTE),
            a_run("run-2", status="completed", due_at=None, position=3),
            a_run("run-3", position=1, started_at=START + MINUTE),
        )
        async with world.transactions.begin() as store:
            await with_runs(store, never, first, last)
            assert await store.runs.last_starts(["acme"]) == {("acme", "account_at_risk"): START + MINUTE}
            assert await store.runs.last_starts(["other"]) == {}

    async def test_due_runs_come_longest_due_first(self, world: World) -> None:
        runs = [
            a_run("run-1", account_id="a", due_at=START - MINUTE),
            a_run("run-2", account_id="b", due_at=START - 2 * MINUTE),
            a_run("run-3", account_id="c", due_at=START),
            a_run("run-4", account_id="d", due_at=START + MINUTE),
            a_run("run-5", account_id="e", status="failed", due_at=None),
        ]
        async with world.transactions.begin() as store:
            await with_runs(store, *runs)
            assert [run.id for run in await store.runs.take_due(START, 2)] == ["run-2", "run-1"]
            assert [run.id for run in await store.runs.take_due(START, 9)] == ["run-2", "run-1", "run-3"]
            assert await store.runs.take("run-3", START) == [runs[2]]
            assert await store.runs.take("run-4", START) == []
            assert await store.runs.next_due() == START - 2 * MINUTE

    async def test_without_active_runs_nothing_is_due(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await with_runs(store, a_run(status="failed", due_at=None))
            assert await store.runs.next_due() is None

    async def test_a_run_keeps_all_of_its_state(self, world: World) -> None:
        changed = a_run(
            position=1,
            wake_at=START + MINUTE,
            due_at=START + 2 * MINUTE,
            failures=2,
            error="broken",
            status="exited",
            ended_at=START + 3 * MINUTE,
            reason="at_risk was left",
            exit_crossing_id="crossing-1",
        )
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            await store.runs.update([changed])
        story = await world.reads.run("run-1")
        assert story is not None
        assert story.run == changed

    async def test_a_step_has_one_result(self, world: World) -> None:
        result = StepResult(
            run_id="run-1",
            position=0,
            step="wait",
            kind="wait",
            at=START,
            outcome="waited",
            ref="task-1",
            until=START,
        )
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            await store.runs.record([result])
        with pytest.raises(Exception, match=r"run_steps|already"):
            async with world.transactions.begin() as store:
                await store.runs.record([result])
        story = await world.reads.run("run-1")
        assert story is not None
        assert story.results == [result]

    # ---- tasks

    @pytest.mark.parametrize("together", [True, False])
    async def test_an_open_task_is_updated_not_doubled(self, world: World, together: bool) -> None:
        other_reason, other_account = (
            a_task("task-3", reason="critical"),
            a_task("task-4", account_id="other"),
        )
        again = a_task(
            "task-2",
            title="Call them again",
            owner=None,
            due_at=START + timedelta(days=5),
            run_id="run-2",
            created_at=START + MINUTE,
            updated_at=START + MINUTE,
        )
        async with world.transactions.begin() as store:
            await with_runs(store, a_run("run-1"), a_run("run-2", playbook="b"))
            if together:
                found = await store.tasks.open([a_task(), again, other_reason, other_account])
            else:
                found = {}
                for task in (a_task(), again, other_reason, other_account):
                    found |= await store.tasks.open([task])
        assert found == {"task-1": "task-1", "task-2": "task-1", "task-3": "task-3", "task-4": "task-4"}
        assert await world.reads.task("task-1") == a_task(
            title="Call them again", run_id="run-2", updated_at=START + MINUTE, asked=2
        )
        assert await world.reads.task("task-2") is None

    # ---- erasures

    async def test_of_an_erased_account_nothing_is_left_but_its_snapshot(self, world: World) -> None:
        other = a_run("run-2", account_id="other", crossing_id="crossing-2")
        ended = a_run("run-0", crossing_id="crossing-0", status="exited", exit_crossing_id="crossing-1")
        request = Message("notifications.requests.v1", b"acme", b"{}")
        left = [
            Message("notifications.requests.v1", b"other", b"{}"),
            Message("customer.events.v1", b"acme", b"{}"),
        ]
        async with world.transactions.begin() as store:
            await with_runs(store, a_run(), other, ended)
            await store.accounts.save([received_snapshot(a_snapshot())])
            await store.runs.record([a_result("run-1"), a_result("run-2")])
            await store.tasks.open([a_task(), a_task("task-2", account_id="other", run_id="run-2")])
            await store.entries.add([an_entry("crossing-1", "acme"), an_entry("crossing-2", "other")])
            await store.outbox.add([request, *left])
        async with world.transactions.begin() as store:
            erased = await store.erasures.of_accounts({"acme", "unknown"})
        assert erased == {"steps": 1, "tasks": 1, "entries": 1, "runs": 2, "crossings": 2, "requests": 1}
        async with world.transactions.begin() as store:
            assert set(await store.erasures.of_accounts({"acme"})) == set(erased)
            assert not any((await store.erasures.of_accounts({"acme"})).values())
            assert set(await store.accounts.newest(["acme"])) == {"acme"}
        assert [run.id for run, _ in await world.reads.runs(RunFilter(), 9, None)] == ["run-2"]
        assert [task.id for task in await world.reads.tasks(TaskFilter(), 9, None)] == ["task-2"]
        assert [entry.account_id for entry in await world.reads.entries(None, 9, None)] == ["other"]
        async with world.transactions.begin() as store:
            fresh = await store.crossings.remember([received("crossing-1"), received("crossing-2")], START)
        assert [each.id for each in fresh] == ["crossing-1"]

    # ---- outbox

    async def test_messages_can_be_written(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await store.outbox.add(
                [Message("customer.events.v1", b"acme", b"{}", {"traceparent": "00-1-2-01"})]
            )

    # ---- reads

    async def test_runs_are_listed_newest_first_and_page_by_page(self, world: World) -> None:
        runs = [
            a_run(f"run-{number}", account_id=f"account-{number}", started_at=START + (number // 2) * MINUTE)
            for number in range(5)
        ]
        async with world.transactions.begin() as store:
            await with_runs(store, *runs)
        pages: list[Sequence[str]] = []
        after = None
        while found := await world.reads.runs(RunFilter(), 2, after):
            pages.append([run.id for run, _ in found])
            after = (found[-1][0].started_at, found[-1][0].id)
        assert pages == [["run-4", "run-3"], ["run-2", "run-1"], ["run-0"]]

    async def test_runs_are_filtered(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await with_runs(
                store,
                a_run("run-1", account_id="a"),
                a_run("run-2", account_id="b", playbook="b"),
                a_run("run-3", account_id="a", status="failed", due_at=None),
            )

        async def ids(wanted: RunFilter) -> list[str]:
            return [run.id for run, _ in await world.reads.runs(wanted, 10, None)]

        assert await ids(RunFilter(account_id="a")) == ["run-3", "run-1"]
        assert await ids(RunFilter(account_id="a", status="active")) == ["run-1"]
        assert await ids(RunFilter(playbook="b")) == ["run-2"]
        assert await ids(RunFilter(account_id="nobody")) == []
        [(_, definition)] = await world.reads.runs(RunFilter(playbook="b"), 10, None)
        assert definition == a_definition("b")

    async def test_a_run_is_told_with_its_crossings(self, world: World) -> None:
        left = a_crossing(direction="left")
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            await store.crossings.remember([received("crossing-2", left)], START)
            await store.runs.update([exit_run(a_run(), "at_risk was left", "crossing-2", START)])
        story = await world.reads.run("run-1")
        assert story is not None
        assert (story.crossing, story.exit_crossing) == (a_crossing(), left)
        assert story.definition == a_definition()
        assert await world.reads.run("run-9") is None

    async def test_tasks_are_filtered_and_paged(self, world: World) -> None:
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            for number in range(3):
                task = a_task(
                    f"task-{number}", account_id=f"account-{number}", created_at=START + number * MINUTE
                )
                await store.tasks.open([task])
            await store.tasks.open([a_task("task-9", owner="otto", created_at=START - MINUTE)])
        first = await world.reads.tasks(TaskFilter(owner="maria", status="open"), 2, None)
        rest = await world.reads.tasks(TaskFilter(owner="maria"), 2, (first[-1].created_at, first[-1].id))
        assert [task.id for task in (*first, *rest)] == ["task-2", "task-1", "task-0"]
        assert [task.id for task in await world.reads.tasks(TaskFilter(account_id="acme"), 9, None)] == [
            "task-9"
        ]
        assert await world.reads.tasks(TaskFilter(status="done"), 9, None) == []

    async def test_entries_are_filtered_and_paged(self, world: World) -> None:
        refused = [
            Entry(
                crossing_id="crossing-1",
                playbook=playbook,
                version=1,
                account_id="acme",
                decided_at=START,
                outcome="refused",
                code="once_per",
                reason="too soon",
            )
            for playbook in ("a", "b")
        ]
        started = replace(
            refused[0],
            playbook="c",
            outcome="started",
            run_id="run-1",
            code=None,
            reason=None,
            account_id="other",
        )
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            await store.entries.add([*refused, started])
        assert await world.reads.entries("acme", 9, None) == [refused[1], refused[0]]
        [first] = await world.reads.entries(None, 1, None)
        assert first == started
        assert await world.reads.entries(None, 1, (START, entry_key(first))) == [refused[1]]

    async def test_a_crossing_is_decided_once_for_a_playbook(self, world: World) -> None:
        entry = Entry(
            crossing_id="crossing-1",
            playbook="a",
            version=1,
            account_id="acme",
            decided_at=START,
            outcome="refused",
            code="audience",
            reason="not in the audience",
        )
        async with world.transactions.begin() as store:
            await with_runs(store, a_run())
            await store.entries.add([entry])
        with pytest.raises(Exception, match=r"entries|already"):
            async with world.transactions.begin() as store:
                await store.entries.add([replace(entry, version=2)])

    async def test_what_a_wait_needs_is_kept(self, world: World) -> None:
        waiting = a_run(position=1, wake_at=START + MINUTE, due_at=START + MINUTE)
        async with world.transactions.begin() as store:
            await with_runs(store, waiting)
        async with world.transactions.begin() as store:
            assert await store.runs.take_due(START, 9) == []
            assert await store.runs.take_due(START + MINUTE, 9) == [waiting]
            assert (await store.playbooks.active())[0].definition.steps[1] == WAIT
