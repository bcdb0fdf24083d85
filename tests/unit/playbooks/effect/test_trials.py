"""Following entries: when the goal counts, when an account has recovered, and what is asked of the store for it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, a_snapshot
from tests.unit.playbooks.contracts.trials import DAY, a_trial

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.handlers.trials import follow, trial_of
from playbooks.application.model import Playbook, PlaybookKey
from playbooks.application.ports import Playbooks, Store, Trials
from playbooks.domain.definition import Definition, Goal, Holdout
from playbooks.domain.trial import Trial, with_goal, with_way_back

SECOND = timedelta(seconds=1)
WELL = "score != null && score >= 60"


GOAL = Goal(condition=WELL, within="60d")


@dataclass
class Asked:
    """Trials and playbooks of a store in memory that remember what they were asked for."""

    store: Store
    trials: Mapping[str, Trial]
    unfinished: int = 0
    loaded: list[PlaybookKey] = field(default_factory=list)

    async def follow(self, *news: AccountSnapshot | Crossing, now: datetime = START + DAY) -> int:
        """One batch."""
        snapshots = {each.account_id: each for each in news if isinstance(each, AccountSnapshot)}
        crossings = [each for each in news if isinstance(each, Crossing)]
        trials, playbooks = AskedTrials(self.store.trials, self), AskedPlaybooks(self.store.playbooks, self)
        return await follow(trials, playbooks, snapshots, crossings, now)


@dataclass
class AskedTrials:
    """Implements ports.Trials."""

    inner: Trials
    asked: Asked

    async def add(self, trials: Sequence[Trial]) -> None:
        await self.inner.add(trials)

    async def update(self, trials: Sequence[Trial]) -> None:
        await self.inner.update(trials)

    async def unfinished(self, account_ids: Collection[str], now: datetime) -> list[Trial]:
        self.asked.unfinished += 1
        return await self.inner.unfinished(account_ids, now)

    async def last_entries(self, account_ids: Collection[str]) -> Mapping[tuple[str, str], datetime]:
        return await self.inner.last_entries(account_ids)


@dataclass
class AskedPlaybooks:
    """Implements ports.Playbooks."""

    inner: Playbooks
    asked: Asked

    async def ship(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        return await self.inner.ship(definitions, now)

    async def active(self) -> Sequence[Playbook]:
        return await self.inner.active()

    def at_hand(self) -> Collection[Playbook]:
        return self.inner.at_hand()

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        self.asked.loaded += keys
        return await self.inner.load(keys)


@asynccontextmanager
async def watching(*trials: Trial) -> AsyncIterator[Asked]:
    """A store with these trials; every version of their playbook has the goal WELL."""
    database = MemoryDatabase()
    async with database.begin() as store:
        for priority in range(3):
            await store.playbooks.ship([a_definition(goal=GOAL, priority=priority)], START)
        await store.trials.add(trials)
        yield Asked(store, database.state.trials)


async def after(trial: Trial, *news: AccountSnapshot | Crossing, now: datetime = START + DAY) -> Trial:
    """The trial after one batch."""
    async with watching(trial) as asked:
        await asked.follow(*news, now=now)
        return asked.trials[trial.id]


def scored(score: float | None, at: datetime) -> AccountSnapshot:
    return a_snapshot(score=score, evaluated_at=at)


def left(at: datetime) -> Crossing:
    return a_crossing(direction="left", occurred_at=at)


async def test_a_goal_that_holds_within_the_window_is_reached_when_it_was_seen_to_hold() -> None:
    at = START + 3 * DAY
    assert (await after(a_trial(), scored(61, at))).goal_reached_at == at


async def test_a_goal_that_does_not_hold_or_cannot_be_decided_is_not_reached() -> None:
    for score in (59.0, None):
        assert await after(a_trial(), scored(score, START + DAY)) == a_trial()


@pytest.mark.parametrize(
    ("at", "reached"),
    [
        pytest.param(START - SECOND, False, id="before the crossing"),
        pytest.param(START, True, id="with the crossing"),
        pytest.param(START + 60 * DAY, True, id="at the end of the window"),
        pytest.param(START + 60 * DAY + SECOND, False, id="after the window"),
    ],
)
async def test_the_window_includes_both_its_ends(at: datetime, reached: bool) -> None:
    assert ((await after(a_trial(), scored(90, at))).goal_reached_at is not None) == reached


async def test_a_snapshot_of_the_window_counts_when_it_comes_after_the_window() -> None:
    end = START + 60 * DAY
    trial = a_trial(recovered_at=START + DAY)
    assert (await after(trial, scored(90, end), now=end + DAY)).goal_reached_at == end


async def test_a_goal_is_reached_once() -> None:
    trial = a_trial(goal_reached_at=START + DAY)
    assert await after(trial, scored(90, START + 2 * DAY)) == trial


async def test_the_way_back_is_the_recovery_once() -> None:
    recovered = await after(a_trial(), left(START + DAY), left(START + 2 * DAY))
    assert recovered.recovered_at == START + DAY
    assert await after(recovered, left(START + 3 * DAY)) == recovered


@pytest.mark.parametrize(
    "crossing",
    [
        pytest.param(a_crossing(occurred_at=START + DAY), id="the same direction"),
        pytest.param(left(START - SECOND), id="before the trigger"),
        pytest.param(a_crossing(threshold="critical", direction="left"), id="another threshold"),
        pytest.param(a_crossing(account="globex", direction="left"), id="another account"),
    ],
)
async def test_no_other_crossing_is_a_recovery(crossing: Crossing) -> None:
    assert await after(a_trial(), crossing) == a_trial()


async def test_what_happened_while_the_engine_was_behind_counts_from_the_entry() -> None:
    behind = a_trial(entered_at=START + 5 * DAY)
    seen = await after(behind, scored(80, START + DAY), left(START + 2 * DAY), now=START + 5 * DAY)
    assert (seen.goal_reached_at, seen.recovered_at) == (behind.entered_at, behind.entered_at)


async def test_no_news_asks_the_store_nothing() -> None:
    async with watching(a_trial()) as asked:
        assert await asked.follow() == 0
    assert asked.unfinished == 0


async def test_versions_are_loaded_only_for_open_goals_with_a_snapshot() -> None:
    trials = (
        a_trial("1", version=1),
        a_trial("2", version=2, goal_reached_at=START),
        a_trial("3", version=3, window_ends_at=None),
    )
    async with watching(*trials) as asked:
        assert await asked.follow(left(START + DAY)) == 3
        assert asked.loaded == []
        assert await asked.follow(scored(90, START + DAY)) == 1
    assert asked.loaded == [("account_at_risk", 1)]
    assert asked.unfinished == 2


def test_an_entry_keeps_what_is_measured_of_it() -> None:
    definition = a_definition(
        goal=Goal(condition=WELL, within="2d"), holdout=Holdout(share=0.1, programme="retention")
    )
    crossing = a_crossing(snapshot=a_snapshot(attributes={"arr": 1200, "currency": "eur"}))
    trial = trial_of(definition, 3, crossing, arm="held_out", run_id="run-1", now=START + SECOND)
    assert trial == a_trial(
        "run-1",
        version=3,
        arm="held_out",
        entered_at=START + SECOND,
        window_ends_at=START + 2 * DAY + SECOND,
        revenue=1200.0,
    )


def test_an_entry_without_goal_or_holdout_has_no_window_and_the_playbook_as_programme() -> None:
    trial = trial_of(a_definition(), 1, a_crossing(), arm="treated", run_id="run-1", now=START)
    assert (trial.programme, trial.window_ends_at) == ("account_at_risk", None)


@pytest.mark.parametrize("arr", [None, True, "1200", 10**400, float("nan"), float("inf"), [1]], ids=repr)
def test_what_is_no_amount_of_money_is_no_revenue(arr: object) -> None:
    crossing = a_crossing(snapshot=a_snapshot(attributes={"arr": arr, "currency": "Euro\x00"}))
    trial = trial_of(a_definition(), 1, crossing, arm="treated", run_id="run-1", now=START)
    assert (trial.revenue, trial.currency) == (None, None)


instants = st.integers(-100, 100).map(lambda hours: START + timedelta(hours=hours))


@given(st.lists(st.tuples(st.booleans(), instants), max_size=20), st.integers(0, 50))
def test_a_trial_is_only_ever_completed_and_never_before_its_entry(
    news: list[tuple[bool, datetime]], behind_hours: int
) -> None:
    entered = START + timedelta(hours=behind_hours)
    trial = a_trial(entered_at=entered, window_ends_at=entered + timedelta(hours=48))
    for is_goal, at in news:
        later = with_goal(trial, at) if is_goal else with_way_back(trial, "at_risk", "left", at)
        assert trial.goal_reached_at in (None, later.goal_reached_at)
        assert trial.recovered_at in (None, later.recovered_at)
        assert replace(later, goal_reached_at=None, recovered_at=None) == replace(
            trial, goal_reached_at=None, recovered_at=None
        )
        trial = later
    assert entered <= (trial.goal_reached_at or entered) <= entered + timedelta(hours=48)
    assert entered <= (trial.recovered_at or entered)
