"""What every implementation of ports.Trials must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, received

from playbooks.application.ports import Store, Transactions
from playbooks.domain.run import Run
from playbooks.domain.trial import Trial

DAY = timedelta(days=1)


def a_trial(trial_id: str = "trial-1", **members: object) -> Trial:
    """Acme was treated by account_at_risk, whose goal is open for 60 days."""
    trial = Trial(
        id=trial_id,
        playbook="account_at_risk",
        version=1,
        programme="retention",
        account_id="acme",
        arm="treated",
        crossed_at=START,
        entered_at=START,
        threshold="at_risk",
        direction="entered",
        window_ends_at=START + 60 * DAY,
        revenue=1200.0,
        currency="EUR",
    )
    return replace(trial, **members)  # type: ignore[arg-type]


async def shipped(store: Store, *names: str) -> None:
    """Versions that trials can be of."""
    await store.playbooks.ship([a_definition(name) for name in names or ("account_at_risk",)], START)


async def begun(store: Store, run_id: str, started_at: datetime, position: int) -> None:
    """An ended run of acme that took so many steps."""
    await store.crossings.remember([received(f"crossing of {run_id}", a_crossing())], START)
    run = Run(
        id=run_id,
        playbook="account_at_risk",
        version=1,
        account_id="acme",
        crossing_id=f"crossing of {run_id}",
        started_at=started_at,
        due_at=None,
        purpose="account_at_risk",
        step=None,
        status="completed",
        position=position,
    )
    await store.runs.add([run])


class TrialsContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_what_was_written_down_is_found_as_it_was(self, transactions: Transactions) -> None:
        plain = a_trial(
            "trial-2",
            arm="held_out",
            entered_at=START + DAY,
            window_ends_at=None,
            revenue=None,
            currency=None,
        )
        async with transactions.begin() as store:
            await shipped(store)
            await store.trials.add([a_trial(), plain])
        async with transactions.begin() as store:
            assert await store.trials.unfinished(["acme"], START) == [a_trial(), plain]

    async def test_only_the_accounts_asked_for_are_found(self, transactions: Transactions) -> None:
        other = a_trial("trial-2", account_id="globex")
        async with transactions.begin() as store:
            await shipped(store)
            await store.trials.add([a_trial(), other])
            assert await store.trials.unfinished(["globex", "initech"], START) == [other]
            assert await store.trials.unfinished([], START) == []

    async def test_a_trial_is_finished_once_it_has_recovered_and_reached_its_goal(
        self, transactions: Transactions
    ) -> None:
        recovered = a_trial("trial-1", recovered_at=START + DAY)
        reached = a_trial("trial-2", goal_reached_at=START + DAY)
        both = a_trial("trial-3", recovered_at=START + DAY, goal_reached_at=START + DAY)
        async with transactions.begin() as store:
            await shipped(store)
            await store.trials.add([recovered, reached, both])
            assert await store.trials.unfinished(["acme"], START) == [recovered, reached]

    async def test_a_recovered_trial_is_finished_when_its_window_is_over(
        self, transactions: Transactions
    ) -> None:
        trial = a_trial(recovered_at=START + DAY)
        without_goal = a_trial("trial-2", window_ends_at=None, recovered_at=START + DAY)
        end = START + 60 * DAY
        async with transactions.begin() as store:
            await shipped(store)
            await store.trials.add([trial, without_goal])
            assert await store.trials.unfinished(["acme"], end) == [trial]
            assert await store.trials.unfinished(["acme"], end + timedelta(seconds=1)) == []

    async def test_what_has_become_of_a_trial_is_kept(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await shipped(store)
            await store.trials.add([a_trial(), a_trial("trial-2")])
        changed = a_trial(goal_reached_at=START + DAY)
        async with transactions.begin() as store:
            await store.trials.update([changed])
            await store.trials.update([])
        async with transactions.begin() as store:
            assert await store.trials.unfinished(["acme"], START) == [changed, a_trial("trial-2")]

    async def test_a_run_that_took_a_step_was_an_entry(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await shipped(store)
            await begun(store, "run-1", START, position=1)
            await begun(store, "run-2", START + DAY, position=2)
            await begun(store, "run-3", START + 2 * DAY, position=0)
            await store.trials.add([a_trial(f"run-{number}") for number in (1, 2, 3)])
            last = await store.trials.last_entries(["acme", "globex"])
        assert last == {("acme", "account_at_risk"): START + DAY}

    async def test_to_be_held_out_was_an_entry(self, transactions: Transactions) -> None:
        async with transactions.begin() as store:
            await shipped(store, "account_at_risk", "rescue")
            await store.trials.add(
                [
                    a_trial("trial-1", arm="held_out", entered_at=START),
                    a_trial("trial-2", arm="held_out", entered_at=START + DAY),
                    a_trial("trial-3", arm="held_out", playbook="rescue"),
                    a_trial("trial-4", arm="held_out", account_id="globex"),
                ]
            )
            last = await store.trials.last_entries(["acme"])
            assert await store.trials.last_entries([]) == {}
        assert last == {("acme", "account_at_risk"): START + DAY, ("acme", "rescue"): START}
