"""Who gets in and what gives way: purposes and priorities, limits, switches, and accounts that are left alone; on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition
from tests.unit.playbooks.engine.examples import approve, notify, wait, webhook
from tests.unit.playbooks.engine.service import Service, entered, left

from playbooks.application.model import EVERYTHING, Audited
from playbooks.application.model import Entry as Kept
from playbooks.domain.definition import Entry, ExitWhen, Goal, Holdout, Limits
from playbooks.domain.trial import Trial

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TO_NOBODY = 0.0001


class EntryBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    # ---- purposes and priorities

    async def test_a_higher_priority_takes_the_place_of_a_lower_one(self, service: Service) -> None:
        low = a_definition("low", steps=(approve(),), purpose="rescue", priority=1)
        high = a_definition("high", threshold="critical", purpose="rescue", priority=2)
        await service.publish(low, high)
        await service.receive(entered("c-1"))
        await service.settle()
        changes = await service.receive(entered("c-2", threshold="critical"))
        assert [(run.playbook, run.status) for run in await service.runs()] == [
            ("low", "exited"),
            ("high", "active"),
        ]
        [before, _] = await service.runs()
        assert (before.reason, before.exit_crossing_id) == ("superseded by high: priority 2 before 1", "c-2")
        assert [run.id for run in changes.ended] == [before.id]
        assert [each.status for each in await service.approvals()] == ["expired"]

    @pytest.mark.parametrize("priority", [1, 0], ids=["equal", "lower"])
    async def test_a_priority_that_is_no_higher_waits_its_turn(self, service: Service, priority: int) -> None:
        first = a_definition("first", purpose="rescue", priority=1)
        second = a_definition("second", threshold="critical", purpose="rescue", priority=priority)
        await service.publish(first, second)
        await service.receive(entered("c-1"), entered("c-2", threshold="critical"))
        assert [run.playbook for run in await service.runs()] == ["first"]
        assert await service.refusals() == [("second", "purpose_active")]
        [refused] = [each for each in await service.tables.rows(Kept) if each.code]
        assert refused.reason is not None
        assert (
            "of first serves the same purpose, rescue, with priority 1; this playbook has" in refused.reason
        )

    async def test_of_two_that_one_crossing_triggers_the_higher_one_starts(self, service: Service) -> None:
        await service.publish(
            a_definition("a", purpose="rescue", priority=1),
            a_definition("b", purpose="rescue", priority=5),
            a_definition("c", purpose="other"),
        )
        await service.receive(entered("c-1"))
        assert [run.playbook for run in await service.runs()] == ["b", "c"]
        assert await service.refusals() == [("a", "purpose_active")]

    async def test_what_a_crossing_ends_makes_room_for_what_it_starts(self, service: Service) -> None:
        """Exits come first: the second would otherwise be refused."""
        first = a_definition("first", purpose="rescue", exit_when=ExitWhen(entered=("critical",)), priority=9)
        second = a_definition("second", threshold="critical", purpose="rescue")
        await service.publish(first, second)
        await service.receive(entered("c-1"))
        await service.receive(entered("c-2", threshold="critical"))
        assert [(run.playbook, run.status) for run in await service.runs()] == [
            ("first", "exited"),
            ("second", "active"),
        ]

    async def test_a_chain_of_takings_over_in_one_batch_leaves_the_highest(self, service: Service) -> None:
        names = ["one", "two", "three"]
        await service.publish(
            *(
                a_definition(name, threshold=name, purpose="rescue", priority=priority)
                for priority, name in enumerate(names)
            )
        )
        await service.receive(*(entered(f"c-{number}", threshold=name) for number, name in enumerate(names)))
        assert [(run.playbook, run.status) for run in await service.runs()] == [
            ("one", "exited"),
            ("two", "exited"),
            ("three", "active"),
        ]

    # ---- conditions at crossings

    async def test_any_crossing_has_exit_conditions_looked_at(self, service: Service) -> None:
        exits = ExitWhen(condition="has(account.stage) && account.stage == 'churned'")
        await service.publish(a_definition(steps=(wait("pause", "30d"),), exit_when=exits))
        await service.receive(entered("c-1"))
        await service.settle()
        await service.receive(entered("c-2", threshold="unheard_of"))
        assert (await service.run()).status == "active"
        await service.receive(entered("c-3", threshold="unheard_of", attributes={"stage": "churned"}))
        run = await service.run()
        assert (run.status, run.reason) == (
            "exited",
            "exit_when: has(account.stage) && account.stage == 'churned'",
        )

    async def test_an_exit_condition_may_speak_of_the_steps_so_far(self, service: Service) -> None:
        exits = ExitWhen(condition="'tell' in steps && crossing.threshold == 'at_risk'")
        await service.publish(a_definition(steps=(notify("tell"), wait("pause", "30d")), exit_when=exits))
        await service.receive(entered("c-1"))
        await service.receive(entered("c-2", threshold="unheard_of"))
        assert (await service.run()).status == "active"
        await service.tick()
        await service.receive(entered("c-3", threshold="unheard_of"))
        assert (await service.run()).status == "exited"

    async def test_an_exit_by_a_crossing_closes_the_question_that_was_asked(self, service: Service) -> None:
        await service.begin(a_definition(steps=(approve(),)))
        await service.settle()
        assert [each.status for each in await service.approvals()] == ["pending"]
        await service.receive(left("c-2"))
        assert [each.status for each in await service.approvals()] == ["expired"]

    async def test_an_exit_before_a_step_closes_the_question_too(self, service: Service) -> None:
        exits = ExitWhen(condition="score > 90.0")
        await service.begin(a_definition(steps=(approve(),), exit_when=exits))
        await service.settle()
        await service.learn(revision=2, score=95.0)
        await service.later(4 * DAY)
        assert (await service.run()).status == "exited"
        assert [each.status for each in await service.approvals()] == ["expired"]

    # ---- how often

    async def test_an_account_enters_once_per_period_counted_from_its_start(self, service: Service) -> None:
        await service.publish(a_definition(entry=Entry(once_per="7d"), steps=(notify(),)))
        await service.receive(entered("c-1"))
        await service.settle()
        service.clock.set(START + 7 * DAY - timedelta(seconds=1))
        await service.receive(entered("c-2"))
        service.clock.set(START + 7 * DAY)
        await service.receive(entered("c-3"))
        assert [run.crossing_id for run in await service.runs()] == ["c-1", "c-3"]
        assert await service.refusals() == [("account_at_risk", "once_per")]

    # ---- what is read late

    async def test_nobody_is_approached_for_what_happened_more_than_a_week_ago(
        self, service: Service
    ) -> None:
        await service.publish(a_definition())
        service.clock.set(START + 7 * DAY)
        await service.receive(entered("c-1", "a"))
        service.clock.advance(timedelta(seconds=1))
        await service.receive(entered("c-2", "b"))
        assert [run.account_id for run in await service.runs()] == ["a"]
        [refused] = [each for each in await service.tables.rows(Kept) if each.code]
        assert (refused.code, refused.reason) == (
            "too_old",
            "It happened 7 days ago: too long to speak of it now.",
        )

    @pytest.mark.parametrize(
        ("hours", "revision", "inside", "starts"),
        [(2, 9, [], False), (2, 9, ["at_risk"], True), (2, 1, [], True), (1, 9, [], True)],
        ids=["it is so no more", "it still is so", "nothing is newer", "it is fresh"],
    )
    async def test_what_was_read_late_and_is_so_no_more_starts_nothing(
        self, service: Service, hours: int, revision: int, inside: list[str], starts: bool
    ) -> None:
        await service.publish(a_definition())
        await service.learn(revision=revision, thresholds=inside)
        service.clock.set(START + hours * HOUR)
        await service.receive(entered("c-1"))
        assert bool(await service.runs()) == starts
        assert await service.refusals() == ([] if starts else [("account_at_risk", "overtaken")])

    async def test_what_is_fresh_starts_whatever_else_is_read_with_it(self, service: Service) -> None:
        await service.publish(a_definition())
        await service.learn(revision=9, thresholds=[])
        service.clock.set(START + 2 * HOUR)
        await service.receive(entered("c-1", threshold="critical"), entered("c-2", at=service.clock.now()))
        assert [run.crossing_id for run in await service.runs()] == ["c-2"]

    # ---- limits

    async def test_more_starts_than_its_limit_pause_the_playbook_itself_and_it_says_so(
        self, service: Service
    ) -> None:
        await service.publish(a_definition(limits=Limits(starts_per_hour=2)), a_definition("other"))
        changes = await service.receive(*(entered(f"c-{number}", f"account-{number}") for number in range(4)))
        assert list(changes.paused) == ["account_at_risk"]
        started = [run.playbook for run in await service.runs()]
        assert (started.count("account_at_risk"), started.count("other")) == (2, 4)
        assert await service.refusals() == [("account_at_risk", "limit"), ("account_at_risk", "paused")]
        async with service.transactions.begin() as store:
            switch = (await store.switches.all())["account_at_risk"]
        assert (switch.state, switch.actor) == ("paused", "playbook:account_at_risk/1")
        assert switch.reason == (
            "It paused itself. 2 runs began within an hour, and at most 2 may. Look at its entries, then resume it."
        )
        told = [each for each in await service.tables.rows(Audited) if each.action == "paused"]
        assert [(each.subject, each.actor) for each in told] == [
            ("playbook:account_at_risk", "playbook:account_at_risk/1")
        ]

    async def test_starts_of_batches_before_count_for_an_hour(self, service: Service) -> None:
        await service.publish(a_definition(limits=Limits(starts_per_hour=2)))
        await service.receive(entered("c-1", "a"))
        service.clock.advance(HOUR / 2)
        await service.receive(entered("c-2", "b"))
        service.clock.advance(HOUR / 2)
        assert list((await service.receive(entered("c-3", "c"))).paused) == []
        assert list((await service.receive(entered("c-4", "d"))).paused) == ["account_at_risk"]

    # ---- switches

    @pytest.mark.parametrize("name", ["account_at_risk", EVERYTHING])
    @pytest.mark.parametrize("state", ["paused", "archived"])
    async def test_what_is_paused_or_archived_starts_nothing(
        self, service: Service, name: str, state: str
    ) -> None:
        await service.publish(a_definition())
        await service.throw(name, state)  # type: ignore[arg-type]
        await service.receive(entered("c-1"))
        assert await service.runs() == []
        assert await service.refusals() == [("account_at_risk", "paused")]
        [entry] = await service.tables.rows(Kept)
        what = "Everything" if name == EVERYTHING else "The playbook"
        assert entry.reason == f"{what} is {state} since 2026-03-02T09:00:00Z, by person:ana: stop"

    @pytest.mark.parametrize("name", ["account_at_risk", EVERYTHING])
    async def test_what_is_paused_takes_no_step_and_goes_on_where_it_was(
        self, service: Service, name: str
    ) -> None:
        await service.begin(
            a_definition(steps=(notify("first"), wait("pause", "2d"), notify("second"), webhook()))
        )
        await service.settle()
        await service.throw(name, "paused")
        await service.later(5 * DAY)
        assert await service.path() == [("first", "requested")]
        await service.throw(name, "active")
        await service.settle()
        assert [step for step, _ in await service.path()] == ["first", "pause", "second", "crm"]
        ended = {each.step: each.at for each in await service.results()}
        assert ended["pause"] == START + 5 * DAY

    async def test_what_is_paused_makes_no_call(self, service: Service) -> None:
        await service.begin(a_definition(steps=(webhook(),)))
        await service.tick()
        await service.throw(EVERYTHING, "paused")
        assert await service.claim() == []
        await service.throw(EVERYTHING, "active")
        await service.settle()
        assert await service.path() == [("crm", "called")]

    async def test_what_is_archived_goes_on_with_the_runs_it_has(self, service: Service) -> None:
        await service.begin(a_definition(steps=(notify(), wait("pause", "2d"), notify("second"))))
        await service.throw("account_at_risk", "archived")
        await service.later(3 * DAY)
        assert (await service.run()).status == "completed"

    async def test_a_way_back_ends_a_run_of_a_paused_playbook_too(self, service: Service) -> None:
        await service.begin(a_definition())
        await service.throw(EVERYTHING, "paused")
        await service.receive(left("c-2"))
        assert (await service.run()).status == "exited"

    # ---- accounts that are left alone

    async def test_an_account_is_left_alone_in_all_playbooks_of_a_programme(self, service: Service) -> None:
        both = Holdout(share=0.5, programme="retention")
        await service.publish(
            a_definition("a", holdout=both),
            a_definition("b", threshold="critical", holdout=Holdout(share=0.3, programme="retention")),
        )
        accounts = [f"account-{number}" for number in range(60)]
        await service.receive(*(entered(f"a-{each}", each) for each in accounts))
        await service.receive(*(entered(f"b-{each}", each, "critical") for each in accounts))
        runs = await service.runs()
        treated = {name: {run.account_id for run in runs if run.playbook == name} for name in "ab"}
        assert treated["a"] <= treated["b"], "a smaller share lies within a larger one"
        assert 15 < len(treated["a"]) < 45
        arms = {each.id: each.arm for each in await service.tables.rows(Trial)}
        assert {arms[run.id] for run in runs} == {"treated"}
        assert sorted(arms.values()).count("held_out") == 120 - len(runs)

    async def test_who_is_left_alone_stays_so_and_counts_once_a_window(self, service: Service) -> None:
        goal = Goal(condition="score > 60.0", within="30d")
        held_out = Holdout(share=1 - TO_NOBODY, programme="retention")
        await service.publish(a_definition(holdout=held_out, goal=goal))
        for number, days in enumerate((0, 10, 29, 30, 31)):
            now = service.clock.set(START + days * DAY)
            await service.receive(entered(f"c-{number}", at=now))
        assert await service.runs() == []
        trials = await service.tables.rows(Trial)
        assert [(each.arm, each.entered_at) for each in trials] == [
            ("held_out", START),
            ("held_out", START + 30 * DAY),
        ]
        outcomes = [(each.outcome, each.code, each.run_id) for each in await service.tables.rows(Kept)]
        assert outcomes == [("held_out", "held_out", None)] * 5

    async def test_a_run_that_starts_is_a_trial_of_the_treated(self, service: Service) -> None:
        await service.begin(a_definition(goal=Goal(condition="score > 60.0", within="30d")))
        [trial], run = await service.tables.rows(Trial), await service.run()
        assert (trial.id, trial.arm, trial.account_id) == (run.id, "treated", "acme")
        assert (trial.entered_at, trial.window_ends_at) == (START, START + 30 * DAY)

    async def test_a_repeated_crossing_is_no_second_trial(self, service: Service) -> None:
        await service.publish(a_definition(holdout=Holdout(share=1 - TO_NOBODY)))
        for _ in range(2):
            await service.receive(entered("c-1"), replace(entered("c-1")))
        assert len(await service.tables.rows(Trial)) == 1
