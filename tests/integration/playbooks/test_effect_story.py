"""From the records of health-score to the effect: crossings open trials of both arms, later news completes them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import (
    NOTIFY,
    TASK,
    WAIT,
    a_crossing,
    a_definition,
    a_snapshot,
    crossing_record,
    crossing_value,
    snapshot_record,
    snapshot_value,
)

from csm_common.contracts.health import AccountSnapshot
from csm_common.kafka.record import Record
from playbooks.adapters.postgres.effects import PostgresEffects
from playbooks.adapters.postgres.funnels import PostgresFunnels
from playbooks.application.effect import Effect, effect_of
from playbooks.application.funnel import funnel_of
from playbooks.application.measured import (
    Wanted,
)
from playbooks.domain.definition import Goal, Holdout
from playbooks.domain.effect import Arms
from playbooks.domain.entry import held_out
from playbooks.entrypoints.consumer import HealthHandler

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAME = "account_at_risk"
ACCOUNTS = [f"account-{number}" for number in range(60)]
MEASURED = a_definition(
    NAME,
    steps=(NOTIFY, WAIT, TASK),
    goal=Goal(condition="score != null && score >= 60", within="30d"),
    holdout=Holdout(share=0.3),
)
LEFT_ALONE = {each for each in ACCOUNTS if held_out(MEASURED, each) is not None}


def scored(account: str, score: float, at: datetime, revision: int) -> AccountSnapshot:
    attributes = {"owner": "maria", "arr": 1000, "currency": "EUR"}
    return a_snapshot(account, revision, score=score, evaluated_at=at, attributes=attributes)


def crossed(account: str, at: datetime, direction: str, score: float, revision: int) -> Sequence[Record]:
    """A crossing and the snapshot that goes with it, on their topics."""
    snapshot = scored(account, score, at, revision)
    crossing = a_crossing(account, direction=direction, occurred_at=at, snapshot=snapshot)  # type: ignore[arg-type]
    return [
        crossing_record(revision, crossing_value(f"{account}/{revision}", crossing)),
        snapshot_record(revision, snapshot_value(snapshot), account.encode()),
    ]


class Engine:
    """The consumer's handler on PostgreSQL, a batch a transaction."""

    def __init__(self, adapters: Adapters) -> None:
        self.clock = ManualClock()
        self._adapters = adapters
        self._handler = HealthHandler(adapters.transactions.store, self.clock, on_started=lambda: None)

    async def read(self, at: datetime, *records: Record) -> None:
        self.clock.set(at)
        async with self._adapters.engine.begin() as tx:
            outcome = await self._handler.handle(tx, records)
            assert not outcome.dead_letters

    async def effect(self) -> Effect:
        effects = PostgresEffects(self._adapters.engine)
        return await effect_of(effects, Wanted(playbook=NAME), 0.3, self.clock.now())


async def test_both_arms_are_followed_from_the_crossing_to_the_end_of_the_window(adapters: Adapters) -> None:
    """A second after the crossings all have entered. Every treated account recovers and reaches the goal; of the others none."""
    async with adapters.transactions.begin() as store:
        await store.playbooks.ship([MEASURED], START)
    engine = Engine(adapters)
    treated = [each for each in ACCOUNTS if each not in LEFT_ALONE]
    entering = [record for each in ACCOUNTS for record in crossed(each, START, "entered", 42, 1)]
    await engine.read(START + timedelta(seconds=1), *entering)
    await engine.read(START + timedelta(seconds=2), *entering)
    back = [record for each in treated for record in crossed(each, START + 5 * DAY, "left", 57, 2)]
    await engine.read(START + 5 * DAY, *back)
    well = [
        snapshot_record(3, snapshot_value(scored(each, 61, START + 6 * DAY, 3)), each.encode())
        for each in treated
    ]
    await engine.read(START + 6 * DAY, *well)
    too_late = [
        snapshot_record(4, snapshot_value(scored(each, 90, START + 31 * DAY, 4)), each.encode())
        for each in ACCOUNTS
    ]
    await engine.read(START + 31 * DAY, *too_late)

    found = await engine.effect()
    assert 10 < len(LEFT_ALONE) < 50
    for arm, accounts, reached in (
        (found.treated, len(treated), len(treated)),
        (found.held_out, len(LEFT_ALONE), 0),
    ):
        assert (arm.goal.entered, arm.goal.matured, arm.goal.goal_reached) == (accounts, accounts, reached)
        [euros] = arm.revenue
        assert euros.entered == 1000 * accounts
        assert euros.at_stake == 1000 * (accounts - reached)
        assert arm.recovery.recovered == reached
    assert found.treated.recovery.median_hours == 120
    assert found.runs.started == len(treated)
    assert found.runs.held_out == len(LEFT_ALONE)
    assert found.runs.exited == {"crossing": len(treated)}
    assert found.verdict.kind == "too_small"
    assert found.verdict.planned == Arms(treated=73, held_out=32)
    assert found.uplift is not None
    assert found.uplift.difference == 1

    [first, *later] = (await funnel_of(PostgresFunnels(adapters.engine), Wanted(playbook=NAME))).steps
    assert (first.step, first.reached, first.exited) == ("tell", len(treated), len(treated))
    assert [each.reached for each in later] == [0, 0]


async def test_an_account_that_is_erased_is_in_no_figure(adapters: Adapters) -> None:
    async with adapters.transactions.begin() as store:
        await store.playbooks.ship([MEASURED], START)
    engine = Engine(adapters)
    entering = [record for each in ACCOUNTS for record in crossed(each, START, "entered", 42, 1)]
    await engine.read(START, *entering)
    async with adapters.transactions.begin() as store:
        await store.erasures.of_accounts(ACCOUNTS[1:])
    found = await engine.effect()
    assert found.treated.goal.entered + found.held_out.goal.entered == 1
