"""Crossings start and end runs, once, and leave a reason where they do not: on every store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, WAIT, a_crossing, a_definition, a_snapshot, received
from tests.unit.playbooks.engine.service import Service, entered, left

from csm_common.contracts.health import Cause
from csm_common.ids import derived_id
from playbooks.application.model import Entry as Kept
from playbooks.application.model import ReceivedCrossing
from playbooks.domain.definition import Entry, ExitWhen
from playbooks.domain.run import Run

DAY = timedelta(days=1)


class CrossingsBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    async def test_what_a_change_of_the_model_brings_starts_no_run_but_ends_one(
        self, service: Service
    ) -> None:
        await service.publish(a_definition("a"))
        by_model = Cause(kind="model", outreach=False)
        changes = await service.receive(received("c-1", replace(a_crossing(), cause=by_model)))
        assert (changes.started, await service.refusals()) == ([], [("a", "no_news")])
        await service.receive(received("c-2", replace(a_crossing(), cause=Cause(kind="model"))))
        assert len(await service.runs("active")) == 1
        await service.receive(received("c-3", replace(a_crossing(direction="left"), cause=by_model)))
        assert await service.runs("active") == []

    async def test_a_crossing_starts_a_run_of_each_playbook_it_triggers(self, service: Service) -> None:
        await service.publish(a_definition("a"), a_definition("b"), a_definition("c", threshold="critical"))
        changes = await service.receive(entered("c-1"))
        assert [run.playbook for run in changes.started] == ["a", "b"]
        [run, _] = await service.runs()
        assert run == Run(
            id=derived_id("run", "a", 1, "c-1"),
            playbook="a",
            version=1,
            account_id="acme",
            crossing_id="c-1",
            started_at=START,
            due_at=START,
            purpose="a",
            step="tell",
        )
        assert [(each.playbook, each.outcome, each.run_id) for each in await service.tables.rows(Kept)] == [
            ("a", "started", derived_id("run", "a", 1, "c-1")),
            ("b", "started", derived_id("run", "b", 1, "c-1")),
        ]

    async def test_a_crossing_that_nothing_waits_for_is_only_remembered(self, service: Service) -> None:
        await service.publish(a_definition(threshold="critical"))
        changes = await service.receive(entered("c-1"), left("c-2"))
        assert (changes.started, changes.ended) == ([], [])
        assert [each.id for each in changes.crossings] == ["c-1", "c-2"]
        assert (await service.receive(entered("c-1"), left("c-2"))).crossings == ()
        assert await service.tables.rows(Kept) == []

    @pytest.mark.parametrize(
        "batches", [[[1, 2, 3], [1, 2, 3]], [[1], [1, 2], [1, 2, 3]], [[1, 1, 2, 3, 2, 3]]]
    )
    async def test_a_crossing_that_comes_again_changes_nothing(
        self, service: Service, batches: list[list[int]]
    ) -> None:
        """Entered, left, entered: had the repeated way out an effect, it would end the second run."""
        await service.publish(a_definition())
        crossings = {1: entered("c-1"), 2: left("c-2"), 3: entered("c-3")}
        for batch in batches:
            await service.receive(*(crossings[number] for number in batch))
        assert [(run.crossing_id, run.status, run.exit_crossing_id) for run in await service.runs()] == [
            ("c-1", "exited", "c-2"),
            ("c-3", "active", None),
        ]
        assert await service.refusals() == []

    async def test_a_recovery_ends_the_run_with_its_reason(self, service: Service) -> None:
        await service.publish(a_definition(exit_when=ExitWhen(left=("at_risk",))))
        await service.receive(entered("c-1"))
        service.clock.advance(DAY)
        changes = await service.receive(
            left("c-2"), left("c-3", account="other"), left("c-4", threshold="critical")
        )
        [run] = await service.runs()
        assert list(changes.ended) == [run]
        assert (run.status, run.reason, run.exit_crossing_id) == (
            "exited",
            "at_risk was left: score went from 42 to 57, the level is 50",
            "c-2",
        )
        assert (run.ended_at, run.due_at) == (START + DAY, None)

    async def test_other_accounts_and_playbooks_go_on(self, service: Service) -> None:
        await service.publish(a_definition("a"), a_definition("b", exit_when=ExitWhen(left=("other",))))
        await service.receive(entered("c-1"), entered("c-2", account="beta"))
        await service.receive(left("c-3"))
        assert [(run.account_id, run.playbook) for run in await service.runs("active")] == [
            ("acme", "b"),
            ("beta", "a"),
            ("beta", "b"),
        ]

    async def test_an_account_is_once_at_a_time_in_a_playbook(self, service: Service) -> None:
        await service.publish(a_definition(exit_when=ExitWhen()))
        await service.receive(entered("c-1"))
        await service.receive(left("c-2"), entered("c-3"))
        assert [run.crossing_id for run in await service.runs()] == ["c-1"]
        assert await service.refusals() == [("account_at_risk", "already_active")]

    async def test_an_account_enters_once_per_period(self, service: Service) -> None:
        await service.publish(a_definition(entry=Entry(once_per="7d")))
        await service.receive(entered("c-1"))
        await service.tick()
        service.clock.advance(DAY)
        await service.receive(left("c-2"), entered("c-3"))
        assert await service.refusals() == [("account_at_risk", "once_per")]
        service.clock.advance(6 * DAY)
        await service.receive(left("c-4"), entered("c-5"))
        assert [run.crossing_id for run in await service.runs()] == ["c-1", "c-5"]

    async def test_a_run_that_ended_before_its_first_step_does_not_use_the_period_up(
        self, service: Service
    ) -> None:
        await service.publish(a_definition(entry=Entry(once_per="7d")))
        await service.receive(entered("c-1"), left("c-2"), entered("c-3"))
        assert [(run.crossing_id, run.status) for run in await service.runs()] == [
            ("c-1", "exited"),
            ("c-3", "active"),
        ]

    async def test_the_audience_is_asked_about_the_crossings_own_snapshot(self, service: Service) -> None:
        await service.publish(a_definition(audience="account.plan == 'pro' && score < 45.0"))
        free, unknown = a_snapshot(attributes={"plan": "free"}), a_snapshot(attributes={})
        await service.receive(
            received("c-1", a_crossing(snapshot=free)),
            received("c-2", a_crossing(snapshot=unknown)),
            received("c-3", a_crossing()),
        )
        assert [run.crossing_id for run in await service.runs()] == ["c-3"]
        assert await service.refusals() == [
            ("account_at_risk", "audience"),
            ("account_at_risk", "audience_undecided"),
        ]

    async def test_a_run_stays_on_its_version(self, service: Service) -> None:
        await service.publish(a_definition(exit_when=ExitWhen(left=("at_risk",))))
        await service.receive(entered("c-1"))
        await service.publish(a_definition(steps=(TASK,), exit_when=ExitWhen(left=("critical",))))
        await service.receive(left("c-2", threshold="critical"), entered("c-3", account="beta"))
        assert [(run.crossing_id, run.version, run.status) for run in await service.runs()] == [
            ("c-1", 1, "active"),
            ("c-3", 2, "active"),
        ]
        await service.receive(left("c-4"))
        assert [(run.crossing_id, run.status) for run in await service.runs()] == [
            ("c-1", "exited"),
            ("c-3", "active"),
        ]

    @pytest.mark.parametrize("direction", ["entered", "left"])
    async def test_one_crossing_can_end_a_run_and_start_the_next(
        self, service: Service, direction: Literal["entered", "left"]
    ) -> None:
        """`again` is both a trigger and an exit of the same playbook."""
        exits = ExitWhen(left=("again",), entered=("again",))
        await service.publish(a_definition(threshold="again", direction=direction, exit_when=exits))
        crossings: Sequence[ReceivedCrossing] = [
            received(f"c-{number}", a_crossing(threshold="again", direction=direction)) for number in (1, 2)
        ]
        for crossing in crossings:
            await service.receive(crossing)
        assert [(run.crossing_id, run.status) for run in await service.runs()] == [
            ("c-1", "exited"),
            ("c-2", "active"),
        ]

    async def test_an_exit_may_ask_at_a_crossing_what_came_of_a_task(self, service: Service) -> None:
        lost = ExitWhen(condition="has(steps.follow_up) && steps.follow_up.task.outcome == 'lost'")
        await service.begin(a_definition(steps=(TASK, WAIT), exit_when=lost))
        await service.settle()
        [task] = await service.tasks()
        done = replace(task, status="done", outcome="lost", done_at=START, done_by="person:ana")
        async with service.transactions.begin() as store:
            await store.tasks.write(done)
        await service.receive(entered("c-2", threshold="critical"))
        run = await service.run()
        assert (run.status, run.exit_crossing_id) == ("exited", "c-2")
