"""What every implementation of ports.Tasks must do; run in memory in unit/ and on PostgreSQL in integration/."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.playbooks.builders import a_run
from tests.unit.playbooks.contracts.rows import DAY, HOUR, MINUTE, a_result, a_task, with_runs

from csm_common.errors import ConflictError
from playbooks.application.model import Task, TaskNote
from playbooks.application.ports import Store, Transactions
from playbooks.domain.actions import Assignee

ANA_OR_BEN = Assignee(least_loaded=("ana", "ben"))
IN_TURN = Assignee(round_robin=("ana", "ben", "cem"))


async def opened(store: Store, *tasks: Task) -> None:
    """The tasks, with the runs they are of."""
    runs = sorted({task.run_id for task in tasks if task.run_id is not None})
    await with_runs(store, *(a_run(each, purpose=each, crossing_id=f"crossing of {each}") for each in runs))
    await store.tasks.open(tasks)


class TasksContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_an_opened_task_is_found_as_it_was(self, transactions: Transactions) -> None:
        by_hand = a_task("task-2", reason="asked", run_id=None, playbook=None, step=None, owner=None)
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            assert await store.tasks.open([a_task(), by_hand]) == {"task-1": a_task(), "task-2": by_hand}
        async with transactions.begin() as store:
            assert await store.tasks.find("task-1") == a_task()
            assert await store.tasks.lock("task-2") == by_hand
            assert await store.tasks.find("task-3") is None
            assert await store.tasks.lock("task-3") is None

    @pytest.mark.parametrize("status", ["open", "snoozed"])
    async def test_a_task_to_be_done_is_updated_not_doubled(
        self, transactions: Transactions, status: str
    ) -> None:
        known = a_task(status=status, snoozed_score=30.0 if status == "snoozed" else None)
        again = a_task(
            "task-2",
            title="Call them again",
            owner="ben",
            due_at=START + 5 * DAY,
            run_id="run-2",
            playbook="other",
            step="call",
            created_at=START + MINUTE,
            updated_at=START + MINUTE,
        )
        async with transactions.begin() as store:
            await with_runs(store, a_run(), a_run("run-2", playbook="other", purpose="other"))
            await store.tasks.open([known])
            found = await store.tasks.open([again])
        async with transactions.begin() as store:
            assert (
                await store.tasks.find("task-1")
                == found["task-2"]
                == replace(
                    known,
                    title="Call them again",
                    run_id="run-2",
                    playbook="other",
                    step="call",
                    updated_at=START + MINUTE,
                    asked=2,
                )
            )
            assert await store.tasks.find("task-2") is None

    async def test_asking_again_brings_a_task_forward_and_gives_it_an_owner(
        self, transactions: Transactions
    ) -> None:
        async with transactions.begin() as store:
            await opened(store, a_task(owner=None))
            await store.tasks.open([a_task("task-2", owner="ben", due_at=START + HOUR)])
            found = await store.tasks.find("task-1")
        assert found is not None
        assert (found.owner, found.due_at) == ("ben", START + HOUR)

    async def test_who_asks_by_hand_leaves_the_task_to_its_run(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await opened(store, a_task())
            await store.tasks.open([a_task("task-2", run_id=None, playbook=None, step=None)])
            found = await store.tasks.find("task-1")
        assert found is not None
        assert (found.run_id, found.playbook, found.step) == ("run-1", "account_at_risk", "follow_up")

    async def test_tasks_of_one_identity_that_come_together_are_one(self, transactions: Transactions) -> None:
        other = a_task("task-3", reason="critical")
        async with transactions.begin() as store:
            await with_runs(store, a_run())
            found = await store.tasks.open([a_task(), other, a_task("task-2")])
            ids = {wanted: task.id for wanted, task in found.items()}
            assert ids == {"task-1": "task-1", "task-2": "task-1", "task-3": "task-3"}
            one = await store.tasks.find("task-1")
        assert one is not None
        assert one.asked == 2

    async def test_what_is_done_is_opened_anew(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await opened(store, a_task())
            await store.tasks.write(a_task(status="done", outcome="reached", done_at=START, done_by="ana"))
            assert await store.tasks.open([a_task("task-2")]) == {"task-2": a_task("task-2")}

    async def test_a_changed_task_is_found_as_it_is(self, transactions: Transactions) -> None:
        changed = a_task(
            owner="ana",
            status="snoozed",
            claimed_by="ana",
            snoozed_until=START + DAY,
            snoozed_score=35.5,
            updated_at=START + HOUR,
        )
        done = replace(
            changed,
            status="done",
            outcome="reached",
            done_at=START + HOUR,
            done_by="ana",
            snoozed_until=None,
            snoozed_score=None,
        )
        async with transactions.begin() as store:
            await opened(store, a_task())
            for task in (changed, done):
                await store.tasks.write(task)
                assert await store.tasks.find("task-1") == task

    async def test_an_account_has_one_task_of_a_type_and_reason_to_be_done(
        self, transactions: Transactions
    ) -> None:
        async def reopen() -> None:
            async with transactions.begin() as store:
                await store.tasks.write(a_task())

        async with transactions.begin() as store:
            await opened(store, a_task())
            await store.tasks.write(a_task(status="cancelled"))
            await store.tasks.open([a_task("task-2")])
        with pytest.raises(ConflictError, match="acme has another open task"):
            await reopen()
        async with transactions.begin() as store:
            assert await store.tasks.find("task-1") == a_task(status="cancelled")

    async def test_each_note_has_a_number_of_its_own(self, transactions: Transactions) -> None:
        note = TaskNote(
            task_id="task-1", at=START, actor="key:console", action="commented", text="They called."
        )
        async with transactions.begin() as store:
            await opened(store, a_task())
            numbers = [*await store.tasks.note([note, note]), *await store.tasks.note([note])]
            assert await store.tasks.note([]) == []
            last = replace(note, text="They called twice.")
            await store.tasks.note([last])
            assert await store.tasks.last_note("task-1") == last
            assert await store.tasks.last_note("task-9") is None
        assert len(set(numbers)) == 3
        assert numbers == sorted(numbers)

    # ---- outcomes

    async def test_each_step_that_asked_knows_what_came_of_the_task(self, transactions: Transactions) -> None:
        """Two runs asked for it; the task itself knows the last."""
        async with transactions.begin() as store:
            await with_runs(store, a_run(), a_run("run-2", purpose="other", crossing_id="crossing-2"))
            await store.tasks.open([a_task(), a_task("task-2", run_id="run-2", step="call")])
            await store.runs.record(
                [
                    a_result(kind="task", step="follow_up", ref="task-1", outcome="opened"),
                    a_result("run-2", kind="task", step="call", ref="task-1", outcome="updated"),
                    a_result("run-2", 1, kind="notify", step="tell", ref="task-1"),
                ]
            )
            before = await store.tasks.outcomes(["run-1", "run-2", "run-9"])
            await store.tasks.write(a_task(status="done", outcome="reached", done_at=START, done_by="ana"))
            after = await store.tasks.outcomes(["run-1", "run-2"])
            assert await store.tasks.outcomes([]) == {}
        assert before == {("run-1", "follow_up"): ("open", None), ("run-2", "call"): ("open", None)}
        assert after == {
            ("run-1", "follow_up"): ("done", "reached"),
            ("run-2", "call"): ("done", "reached"),
        }

    # ---- who gets it

    async def test_the_least_loaded_gets_the_next_and_what_was_given_out_counts(
        self, transactions: Transactions
    ) -> None:
        tasks = [
            a_task("task-1", owner="ana", reason="1"),
            a_task("task-2", owner="ana", reason="2", status="snoozed", snoozed_score=3.0),
            a_task("task-3", owner="ben", reason="3"),
        ]
        to_ben = Assignee(contact="ben")
        async with transactions.begin() as store:
            await opened(store, *tasks)
            assert await store.tasks.choose([ANA_OR_BEN]) == ["ben"]
            assert await store.tasks.choose([ANA_OR_BEN] * 3) == ["ben", "ana", "ben"]
            assert await store.tasks.choose([to_ben, to_ben, ANA_OR_BEN]) == ["ben", "ben", "ana"]
            assert await store.tasks.choose([]) == []

    async def test_done_tasks_are_no_load_and_the_first_named_goes_first(
        self, transactions: Transactions
    ) -> None:
        async with transactions.begin() as store:
            await opened(store, a_task(owner="ana"))
            await store.tasks.write(a_task(owner="ana", status="done"))
            assert await store.tasks.choose([ANA_OR_BEN]) == ["ana"]

    async def test_those_in_a_rotation_take_turns_over_transactions(self, transactions: Transactions) -> None:
        others = Assignee(round_robin=("ben", "ana", "cem"))
        async with transactions.begin() as store:
            assert await store.tasks.choose([IN_TURN, IN_TURN]) == ["ana", "ben"]
        async with transactions.begin() as store:
            assert await store.tasks.choose([IN_TURN, others, IN_TURN]) == ["cem", "ben", "ana"]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=6))
    async def test_turns_differ_by_one_at_most_however_they_are_drawn(
        self, transactions: Transactions, sizes: Sequence[int]
    ) -> None:
        people = Assignee(round_robin=("ana", "ben", "cem", str(sizes)))
        drawn: list[str] = []
        for size in sizes:
            async with transactions.begin() as store:
                drawn += await store.tasks.choose([people] * size)
        turns = [drawn.count(each) for each in people.round_robin]
        assert max(turns) - min(turns) <= 1

    # ---- waking

    async def test_a_task_comes_back_at_its_time(self, transactions: Transactions) -> None:
        tasks = [
            a_task("task-1", reason="1", status="snoozed", snoozed_until=START + MINUTE, snoozed_score=5.0),
            a_task("task-2", reason="2", status="snoozed", snoozed_until=START + HOUR),
            a_task("task-3", reason="3", status="snoozed", snoozed_score=30.0),
            a_task("task-4", reason="4"),
        ]
        now = START + MINUTE
        back = replace(tasks[0], status="open", snoozed_until=None, snoozed_score=None, updated_at=now)
        async with transactions.begin() as store:
            await opened(store, *tasks)
            assert list(await store.tasks.reopen_due(now - MINUTE)) == []
            assert list(await store.tasks.reopen_due(now)) == [back]
            assert list(await store.tasks.reopen_due(now)) == []
            assert await store.tasks.find("task-1") == back

    async def test_a_task_comes_back_once_the_score_of_its_account_is_low_enough(
        self, transactions: Transactions
    ) -> None:
        tasks = [
            a_task("task-1", reason="1", status="snoozed", snoozed_score=40.0),
            a_task("task-2", reason="2", status="snoozed", snoozed_score=39.9),
            a_task("task-3", reason="3", status="snoozed", snoozed_until=START + DAY),
            a_task("task-4", account_id="other", status="snoozed", snoozed_score=90.0),
            a_task("task-5", reason="5", snoozed_score=90.0),
        ]
        async with transactions.begin() as store:
            await opened(store, *tasks)
            assert list(await store.tasks.reopen_scored({}, START)) == []
            assert list(await store.tasks.reopen_scored({"acme": 40.1, "nobody": 1.0}, START)) == []
            back = await store.tasks.reopen_scored({"acme": 40.0}, START + HOUR)
            assert [(each.id, each.status, each.updated_at) for each in back] == [
                ("task-1", "open", START + HOUR)
            ]
            assert await store.tasks.find("task-2") == tasks[1]
