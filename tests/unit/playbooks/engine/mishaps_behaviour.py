"""Steps that break, steps that kill the worker, and news that is too old to decide on; on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, a_definition
from tests.unit.playbooks.engine.examples import notify, wait, webhook
from tests.unit.playbooks.engine.mishaps import BadTransactions, KilledError
from tests.unit.playbooks.engine.service import RETRY, Service, entered

from csm_common.errors import TransientError
from playbooks.application.handlers.steps import HAND_S, Rules

REFUSED = ValueError("invalid byte sequence\nin a statement of many lines")
SECOND = timedelta(seconds=1)
PATIENT = HAND_S + SECOND


def broken(service: Service, error: BaseException = REFUSED) -> Service:
    """The same process, where tasks of acme raise."""
    return replace(service, transactions=BadTransactions(service.transactions, error))


async def die(service: Service, worker: str) -> None:
    """A process that takes what is due, and dies of it."""
    with pytest.raises(KilledError):
        await replace(broken(service, KilledError()), worker=worker).tick()


class MishapsBehaviour:
    """Subclass it with a fixture `service` over an empty store."""

    # ---- steps that break

    async def test_a_step_that_keeps_failing_fails_its_run_visibly(self, service: Service) -> None:
        await service.begin(a_definition(steps=(notify(), TASK)))
        await service.tick()
        pauses = []
        for _ in range(3):
            await broken(service).tick()
            run = await service.run()
            pauses.append(run.due_at)
            if run.due_at is not None:
                service.clock.set(run.due_at)
        assert pauses == [START + SECOND, START + 11 * SECOND, None]
        assert (run.status, run.failures, run.error, run.step, run.reason) == (
            "failed",
            3,
            "ValueError: invalid byte sequence",
            "follow_up",
            "a step failed 3 times",
        )
        assert await service.path() == [("tell", "requested")]
        assert await service.tasks() == []

    async def test_a_broken_step_does_not_hold_up_the_runs_beside_it(self, service: Service) -> None:
        await service.publish(a_definition(steps=(TASK,)))
        await service.receive(*(entered(f"c-{account}", account) for account in ("acme", "beta", "gamma")))
        advanced = await broken(service).tick()
        assert {run.account_id: run.status for run in advanced.runs} == {
            "acme": "active",
            "beta": "completed",
            "gamma": "completed",
        }
        assert {task.account_id for task in await service.tasks()} == {"beta", "gamma"}

    async def test_a_database_that_goes_away_is_not_a_runs_fault(self, service: Service) -> None:
        await service.begin(a_definition(steps=(TASK,)))
        before = await service.run()
        with pytest.raises(TransientError):
            await broken(service, TransientError("away")).tick()
        assert await service.run() == before
        await service.tick()
        assert (await service.run()).status == "completed"

    # ---- steps that kill

    async def test_what_a_dead_worker_had_begun_is_taken_alone(self, service: Service) -> None:
        await service.publish(a_definition(steps=(TASK,)))
        await service.receive(*(entered(f"c-{account}", account) for account in ("acme", "beta", "gamma")))
        await die(service, "worker-1")
        service.clock.advance(PATIENT)
        other = replace(broken(service, KilledError()), worker="worker-2")
        alone = []
        for _ in range(3):
            try:
                alone.append([run.account_id for run in (await other.tick()).runs])
            except KilledError:
                alone.append(["it died"])
                break
        assert all(len(each) == 1 for each in alone)

    @pytest.mark.parametrize(("others", "deaths_to_be_alone"), [(4, 1), (100, 3)], ids=["few", "many"])
    async def test_a_step_that_kills_its_worker_each_time_fails_in_the_end_and_the_others_go_on(
        self, service: Service, others: int, deaths_to_be_alone: int
    ) -> None:
        await service.publish(a_definition(steps=(TASK,)))
        await service.receive(*(entered(f"c-{number}", f"account-{number}") for number in range(others)))
        await service.receive(entered("c-acme"))
        deaths = 0
        for number in range(30):
            worker = replace(broken(service, KilledError()), worker=f"worker-{number}")
            try:
                while (await worker.tick()).runs:
                    pass
            except KilledError:
                deaths += 1
            service.clock.advance(PATIENT)
        runs = {run.account_id: run for run in await service.runs()}
        acme = runs.pop("acme")
        assert (acme.status, acme.error) == ("failed", "the worker died in this step")
        assert {run.status for run in runs.values()} == {"completed"}
        assert len(await service.tasks()) == others
        assert deaths <= deaths_to_be_alone + len(RETRY) + 1, (
            "in smaller and smaller groups, then by the schedule"
        )

    async def test_who_ends_a_step_alone_is_taken_with_others_again(self, service: Service) -> None:
        await service.publish(a_definition(steps=(TASK, notify(), wait("pause", "1d"))))
        await service.receive(*(entered(f"c-{account}", account) for account in ("acme", "beta")))
        await die(service, "worker-1")
        service.clock.advance(PATIENT)
        assert [len((await service.tick()).runs) for _ in range(3)] == [1, 1, 2]

    async def test_a_worker_that_comes_to_its_end_leaves_nothing_in_hand(self, service: Service) -> None:
        await service.begin(a_definition(steps=(notify(), TASK)))
        await service.tick()
        await broken(service).tick()
        service.clock.advance(timedelta(days=1))
        async with service.transactions.begin() as store:
            assert list(await store.hands.abandoned(service.clock.now())) == []

    # ---- news that is too old

    async def test_no_step_is_decided_on_old_news_and_all_go_on_once_it_is_fresh(
        self, service: Service
    ) -> None:
        service.rules = Rules(retry_after_s=RETRY, max_staleness=timedelta(minutes=1))
        await service.begin(a_definition(steps=(notify(), webhook())))
        async with service.transactions.begin() as store:
            await store.freshness.mark({0: START, 1: START})
        service.clock.advance(timedelta(seconds=61))
        async with service.transactions.begin() as store:
            await store.freshness.mark({0: service.clock.now()})
        advanced = await service.tick()
        assert (list(advanced.runs), advanced.stale_since) == ([], START)
        async with service.transactions.begin() as store:
            await store.freshness.mark({1: service.clock.now()})
        await service.settle()
        assert (await service.run()).status == "completed"

    async def test_no_call_is_made_on_old_news(self, service: Service) -> None:
        service.rules = Rules(retry_after_s=RETRY, max_staleness=timedelta(minutes=1))
        await service.begin(a_definition(steps=(webhook(),)))
        await service.tick()
        async with service.transactions.begin() as store:
            await store.freshness.mark({0: START})
        service.clock.advance(timedelta(seconds=61))
        assert await service.claim() == []
        async with service.transactions.begin() as store:
            await store.freshness.mark({0: service.clock.now()})
        assert len(await service.claim()) == 1

    async def test_where_nothing_was_ever_read_to_its_end_nothing_is_held_up(self, service: Service) -> None:
        service.rules = Rules(retry_after_s=RETRY, max_staleness=timedelta(minutes=1))
        await service.begin(a_definition(steps=(notify(),)))
        await service.settle()
        assert (await service.run()).status == "completed"
