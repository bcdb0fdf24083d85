"""Snapshots and erasures: what they wake, let go on, bring back and forget; on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, a_definition, a_snapshot, received_snapshot
from tests.unit.playbooks.engine.examples import approve, notify, task, wait, wait_until, webhook
from tests.unit.playbooks.engine.service import RETRY, Service, entered, left

from playbooks.adapters.conditions import stored_condition
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.erasures import erase_accounts
from playbooks.application.handlers.steps import Rules
from playbooks.application.model import Audited, Entry, TaskNote
from playbooks.application.view import Holding
from playbooks.domain.definition import ExitWhen, Goal, Holdout
from playbooks.domain.trial import Trial

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WAITING = a_definition(steps=(wait_until(condition="score >= 60.0", otherwise=[task("rescue")]), notify()))
ESCALATED = Holding(condition=stored_condition("'escalated' in thresholds"), reason="an escalation is open")


class NewsBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    # ---- waits for a condition

    async def test_a_condition_that_holds_already_is_met_at_once(self, service: Service) -> None:
        await service.publish(WAITING)
        await service.receive(entered("c-1", score=70.0))
        await service.settle()
        assert await service.path() == [("better", "met"), ("tell", "requested")]

    async def test_a_snapshot_wakes_the_run_that_waits_for_it(self, service: Service) -> None:
        await service.learn(revision=1, score=20.0)
        await service.begin(WAITING)
        await service.settle()
        service.clock.advance(DAY)
        assert await service.learn(revision=2, score=50.0) == 1
        await service.settle()
        assert await service.path() == []
        assert await service.learn(revision=3, score=61.0) == 1
        await service.settle()
        assert await service.path() == [("better", "met"), ("tell", "requested")]
        [met, _] = await service.results()
        assert (met.at, met.until, met.revision) == (START + DAY, START + 14 * DAY, 3)

    async def test_a_condition_that_nothing_is_told_of_times_out(self, service: Service) -> None:
        await service.learn(revision=1, score=20.0)
        await service.begin(WAITING)
        await service.later(15 * DAY)
        assert await service.path() == [("better", "timed_out"), ("rescue", "opened"), ("tell", "requested")]

    async def test_a_snapshot_wakes_no_run_of_another_account_and_none_that_waits_for_time(
        self, service: Service
    ) -> None:
        await service.publish(WAITING, a_definition("b", steps=(wait(),)))
        await service.receive(entered("c-1"), entered("c-2", "beta"))
        await service.later(timedelta(hours=2))
        assert await service.learn(revision=5, score=20.0) == 1
        assert await service.learn("nobody", revision=5) == 0

    # ---- sales

    async def test_what_is_sold_waits_until_the_escalation_is_over(self, service: Service) -> None:
        service.rules = Rules(retry_after_s=RETRY, hold=ESCALATED)
        await service.learn(revision=1, thresholds=["escalated"])
        await service.begin(a_definition(steps=(notify("offer", sales=True), notify("after"))))
        await service.later(3 * DAY)
        run = await service.run()
        assert (run.held, run.held_since, await service.path()) == ("an escalation is open", START, [])
        await service.learn(revision=2, thresholds=[])
        await service.settle()
        assert [step for step, _ in await service.path()] == ["offer", "after"]
        assert [each.at for each in await service.results()] == [START + 3 * DAY] * 2

    async def test_a_call_that_sells_is_held_back_when_it_is_to_be_made(self, service: Service) -> None:
        service.rules = Rules(retry_after_s=RETRY, hold=ESCALATED)
        await service.learn(revision=1)
        await service.begin(a_definition(steps=(webhook("offer", sales=True),)))
        await service.tick()
        await service.learn(revision=2, thresholds=["escalated"])
        await service.later(HOUR)
        assert service.endpoints.posted == []
        await service.learn(revision=3)
        await service.settle()
        assert len(service.endpoints.posted) == 1
        assert (await service.run()).status == "completed"

    async def test_what_was_held_back_for_thirty_days_is_not_said(self, service: Service) -> None:
        service.rules = Rules(retry_after_s=RETRY, hold=ESCALATED)
        await service.learn(revision=1, thresholds=["escalated"])
        await service.begin(a_definition(steps=(notify("offer", sales=True),)))
        await service.later(31 * DAY)
        run = await service.run()
        assert run.status == "exited"
        assert (run.reason or "").startswith("held back for 30 days: an escalation is open")

    # ---- the projection

    async def test_only_newer_snapshots_are_kept_and_an_account_that_comes_back_begins_anew(
        self, service: Service
    ) -> None:
        await service.learn(revision=7, score=70.0)
        await service.learn(revision=6, score=60.0)
        async with service.transactions.begin() as store:
            assert (await store.accounts.newest(["acme"]))["acme"].score == 70.0
        again = received_snapshot(a_snapshot(revision=1, score=10.0))
        async with service.transactions.begin() as store:
            await keep_accounts(store, ["acme"], [again], START)
            assert (await store.accounts.newest(["acme"]))["acme"].score == 10.0

    # ---- late waits

    async def test_a_clock_that_jumps_ends_each_wait_once_and_in_order(self, service: Service) -> None:
        await service.begin(a_definition(steps=(wait("one"), notify(), wait("two"), TASK)))
        await service.settle()
        service.clock.advance(300 * DAY)
        await service.settle()
        assert [step for step, _ in await service.path()] == ["one", "tell"]
        service.clock.advance(-DAY)
        await service.settle()
        service.clock.advance(4 * DAY)
        await service.settle()
        assert [step for step, _ in await service.path()] == ["one", "tell", "two", "follow_up"]

    # ---- erasures

    @pytest.mark.parametrize("when", ["waiting", "calling", "asking", "ended"])
    async def test_an_erasure_removes_all_that_is_kept_of_an_account(
        self, service: Service, when: str
    ) -> None:
        steps = {"waiting": wait(), "calling": webhook(), "asking": approve(), "ended": notify("last")}
        goal = Goal(condition="score > 90.0", within="30d")
        await service.publish(
            a_definition(
                steps=(notify(), TASK, approve("first"), steps[when]), goal=goal, exit_when=ExitWhen()
            ),
            a_definition("alone", holdout=Holdout(share=0.9999), goal=goal),
        )
        for account in ("acme", "beta"):
            await service.receive(entered(f"c-{account}", account))
        await service.tick(3)
        await self._answer_all(service)
        await service.tick(2)
        out, tasks = await service.claim(), await service.tasks()
        async with service.transactions.begin() as store:
            await store.tasks.note(
                [
                    TaskNote(task_id=each.id, at=START, actor="person:ana", action="commented", text="x")
                    for each in tasks
                ]
            )
        async with service.transactions.begin() as store:
            counts = await erase_accounts(store, ["acme"])
        assert {counts[kind] for kind in ("runs", "crossings", "tasks", "notes", "requests")} <= {1, 2}
        assert await self._accounts(service) == {"beta"}
        for call in out:
            assert (await service.make(call) is None) == (call.run.account_id == "acme")
        async with service.transactions.begin() as store:
            assert list((await erase_accounts(store, ["acme"])).values()) == [0] * len(counts)

    async def test_what_comes_after_an_erasure_begins_anew(self, service: Service) -> None:
        await service.begin(a_definition(steps=(wait(),)))
        await service.settle()
        async with service.transactions.begin() as store:
            await erase_accounts(store, ["acme"])
        await service.receive(left("c-1"), entered("c-2"))
        assert [(run.crossing_id, run.status) for run in await service.runs()] == [("c-2", "active")]

    async def _answer_all(self, service: Service) -> None:
        for asked in await service.approvals():
            async with service.transactions.begin() as store:
                await store.approvals.answer(
                    replace(asked, status="approved", answered_at=START, answered_by="person:ana")
                )
                [run] = await store.runs.lock([asked.run_id])
                await store.runs.update([replace(run, due_at=START)])

    async def _accounts(self, service: Service) -> set[str | None]:
        """Whom anything is kept of."""
        found: set[str | None] = {run.account_id for run in await service.runs()}
        found |= {each.account_id for each in await service.tasks()}
        found |= {each.account_id for each in await service.approvals()}
        found |= {each.account_id for each in await service.tables.rows(Entry)}
        found |= {each.account_id for each in await service.tables.rows(Trial)}
        found |= {each.account_id for each in await service.tables.rows(Audited) if each.account_id}
        runs = {run.id for run in await service.runs()}
        assert {each.run_id for each in await service.results()} <= runs
        return found | {
            each.key.decode()
            for each in await service.tables.messages()
            if each.key and "notif" in each.topic
        }
