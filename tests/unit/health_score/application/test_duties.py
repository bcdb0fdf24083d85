"""Models that change while facts flow: whatever comes in between, each account ends as if it had always been judged so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.health_score import EPOCH, MemoryModels, event, record
from tests.unit.health_score.application.owner import PARTITION, TX, Owner, commit, crossings
from tests.unit.health_score.domain.examples import card_of, measure, thorough

from csm_common.kafka.record import Record
from health_score.application.decoding import Decoded, decode
from health_score.application.fold_facts import FactsHandler
from health_score.application.model_ports import StoredCard
from health_score.application.models import Models
from health_score.domain.account import AccountState, fold
from health_score.domain.assessment import Assessment
from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.look import assess
from health_score.domain.model import Choice
from health_score.domain.scorecard import Threshold
from health_score.domain.signals import AnySignal, Count, Latest, Recency, Selector

SILENT = Recency(Selector(("x",)))
RISING = Curve(((0, 0), (10, 100)))
SIGNALS: dict[str, AnySignal] = {
    "x": Count(Selector(("x",)), 400),
    "y": Count(Selector(("y",)), 400),
    "z": Count(Selector(("z",)), 400),
    "xyz": Count(Selector(("x", "y", "z")), 400),
    "last": Latest(Selector(("y", "z"), value="number")),
    "silent": SILENT,
}


def card_reading(name: str, version: int, *measures: str, **rules: Any) -> CompiledCard:
    """A card of these measures, with a threshold on its first."""
    low = Threshold(f"low_{measures[0]}", f"measure:{measures[0]}", enter=2, exit=2, direction="below")
    parts = [measure(each, SIGNALS[each], curve=RISING) for each in measures]
    return card_of(*parts, thresholds=[low], name=name, version=version, **rules)


def is_big(attributes: Any) -> bool:
    return bool(attributes.get("segment") == "big")


CHOICES: dict[CardId, Choice] = {
    choice.card.id: choice
    for choice in (
        Choice(card_reading("main", 1, "x", "y")),
        Choice(card_reading("main", 2, "x")),
        Choice(card_reading("main", 3, "y", "z", "last")),
        Choice(card_reading("main", 4, "xyz", "silent")),
        Choice(card_reading("side", 1, "z", priority=5), is_big),
        Choice(card_reading("side", 2, "x", "last", priority=5), is_big),
    )
}


def read_choice(stored: StoredCard) -> Choice:
    return CHOICES[stored.name, stored.version]


def owning(**more: Any) -> Owner:
    """A process with all these cards, of which the first is in force."""
    owner = Owner(read_card=read_choice, **more)
    owner.models = MemoryModels(owner.accounts.erased_at)
    written: dict[str, Any] = {"document": "", "author": "tests", "note": "", "created_at": EPOCH}
    owner.models.add(*(StoredCard(name=name, version=version, **written) for name, version in CHOICES))
    owner.models.change("activate", "main", version=1)
    return owner


@dataclass
class World:
    """A partition's log, who owns it, and the refolds that are asked for."""

    owner: Owner = field(default_factory=owning)
    log: list[Record] = field(default_factory=list)
    handler: FactsHandler = field(init=False)

    async def begin(self) -> "World":
        await self.restart()
        return self

    async def restart(self) -> None:
        """Another process takes the partition."""
        self.handler = await self.owner.start()

    def told(self, *facts: tuple[str, str, dict[str, Any]]) -> list[Record]:
        """Further records of the log: account, type, data."""
        records: list[Record] = []
        for account, type_, data in facts:
            offset = len(self.log) + len(records)
            at = EPOCH + timedelta(minutes=offset)
            records.append(record(offset, event(f"e{offset}", account, type_, data, time=at)))
        return records

    async def take(self, records: list[Record], *, fails: bool = False) -> None:
        """One batch, first in a transaction that fails if `fails`."""
        if fails:
            with self.owner.rolled_back(self.handler):
                await self.handler.handle(TX, records)
        await commit(self.handler, *records)
        self.log += records
        self.owner.models.position[0] = len(self.log)

    async def say(self, *facts: tuple[str, str, dict[str, Any]], fails: bool = False) -> None:
        """Tell facts and have them folded."""
        await self.take(self.told(*facts), fails=fails)

    def change(self, kind: Any, name: str, **more: Any) -> None:
        """A change of the model, of which the owner hears."""
        self.owner.models.change(kind, name, **more)
        self.owner.duties.look_out()

    async def timers(self, *, fails: bool = False) -> None:
        """One run of the timers."""
        now = self.owner.clock.now()
        if fails:
            with self.owner.rolled_back(self.handler):
                await self.handler.handle_due(TX, [PARTITION], now)
        (await self.handler.handle_due(TX, [PARTITION], now)).committed()

    async def refold(self) -> None:
        """What a refold does, for all that are asked for, in a process of its own."""
        models, known = self.owner.models, Models(self.owner.models, read_choice)
        await known.load(TX)
        for (partition, number), asked in sorted(models.asked.items()):
            if not asked.done:
                wanted = known.at(number)
                before = known.at(models.judged_by[partition])
                states = folded_anew(wanted, self.log[: asked.until_offset])
                for state in states.values():
                    state.signals = {k: v for k, v in state.signals.items() if k not in before.signals}
                models.refold(partition, number, states.values())
        self.owner.duties.look_out()

    async def settle(self) -> None:
        """Do all that is left to do."""
        for _ in range(200):
            await self.refold()
            await self.timers()
            duties, asked = self.owner.duties, self.owner.models.asked.values()
            if not duties.stale and not duties.behind() and all(each.done for each in asked):
                return
        raise AssertionError("it never comes to rest")


def folded_anew(model: Any, log: Iterable[Record]) -> dict[str, AccountState]:
    """Every account after this log, folded by one model from the beginning."""
    states: dict[str, AccountState] = {}
    for each in log:
        decoded = decode(each)
        assert isinstance(decoded, Decoded)
        fact = decoded.fact()
        if fact.type == "csm.account.erased":
            states.pop(fact.account_id, None)
        else:
            fold(model, states.setdefault(fact.account_id, AccountState(fact.account_id)), fact)
    return states


def assert_as_if_always(world: World) -> None:
    """Every account has the signals of the newest model, of all its facts, and nothing else."""
    duties = world.owner.duties
    [latest] = {duties.of(0).model.number}
    assert latest == world.owner.models.log[-1].number
    model = duties.of(0).model
    expected = folded_anew(model, world.log)
    assert world.owner.accounts.rows.keys() == expected.keys()
    now = world.owner.clock.now().timestamp()
    for account, row in world.owner.accounts.rows.items():
        state, anew = row.state, expected[account]
        assert state.model == latest
        assert state.signals.keys() == anew.signals.keys()
        assert state.trails == anew.trails
        card = model.card_for(anew.attributes)
        assert state.card == card.id
        found, meant = (assess(card, each, now, model.silences) for each in (state, anew))
        assert found.values == pytest.approx(meant.values)
        assert state.last is not None
        assert state.last.values == pytest.approx(meant.values, abs=1e-3)
        assert_thresholds(card, state, meant)
    assert_crossings_alternate(world.owner)


def assert_thresholds(card: CompiledCard, state: AccountState, meant: Assessment) -> None:
    """What is known decides where its threshold stands; those of other cards are left."""
    [watch] = card.watches
    number = meant.of(watch.target)
    for name, stands in state.thresholds.items():
        if name != watch.threshold.name:
            assert not stands.inside
        elif number is not None:
            assert stands.inside is (number < 2)
    assert number is None or number >= 2 or watch.threshold.name in state.thresholds


def assert_crossings_alternate(owner: Owner) -> None:
    """Each threshold of an account is entered, left, entered and so on; an erasure begins it anew."""
    stood: dict[tuple[str, str], str] = {}
    for each in owner.outbox.told("health.crossings.v1"):
        if each["type"] == "csm.account.erased":
            stood = {key: direction for key, direction in stood.items() if key[0] != each["subject"]}
            continue
        key, direction = (each["subject"], each["data"]["threshold"]), each["data"]["direction"]
        assert direction != stood.get(key, "left")
        stood[key] = direction


async def test_a_model_with_new_signals_takes_over_once_their_past_is_folded() -> None:
    world = await World().begin()
    await world.say(*[("acme", "z", {"number": at}) for at in range(4)])
    world.change("activate", "main", version=3)
    await world.say(("acme", "z", {"number": 9}))
    state = world.owner.accounts.rows["acme"].state
    assert (state.card, world.owner.models.asked[0, 2].until_offset) == (("main", 1), 4)
    await world.refold()
    await world.timers()
    state = world.owner.accounts.rows["acme"].state
    assert state.card == ("main", 3)
    assert state.last is not None
    assert state.last.values == {"y": None, "z": pytest.approx(5, rel=1e-3), "last": 9}
    assert_as_if_always(world)


async def test_a_model_that_reads_what_is_folded_already_takes_over_at_once() -> None:
    world = await World().begin()
    await world.say(("acme", "x", {}), ("acme", "x", {}))
    world.change("activate", "main", version=2)
    await world.timers()
    assert world.owner.models.asked == {}
    assert world.owner.accounts.rows["acme"].state.card == ("main", 2)
    assert_as_if_always(world)


async def test_what_a_model_leaves_out_and_the_next_one_reads_again_is_not_counted_twice() -> None:
    world = await World().begin()
    await world.say(("acme", "y", {}), ("acme", "y", {}), ("other", "y", {}))
    world.change("activate", "main", version=2)  # without y, and acme is not looked at by it
    await world.say(("other", "y", {}))
    world.change("activate", "main", version=1)
    await world.say(("other", "x", {}))
    await world.settle()
    assert_as_if_always(world)


async def test_facts_that_come_as_another_model_takes_over_are_told_apart_from_what_it_changes() -> None:
    world = await World().begin()
    await world.say(*[("acme", "x", {})] * 3, *[("acme", "y", {})] * 3)
    world.change("activate", "main", version=2)  # reads x alone
    await world.say(("acme", "y", {}))
    told = [each["data"] for each in world.owner.outbox.told("health.accounts.v1")]
    causes = [each.cause.kind for each in world.owner.history.changes.values()]
    assert causes[0] == "facts"
    assert "model" in causes
    assert crossings(world.owner) == []
    assert all(each["values"]["x"] is not None for each in told)
    for at, each in enumerate(world.owner.history.changes.values()):
        known = {name for name, value in each.assessment.values.items() if value is not None}
        assert known == ({"x", "y"} if each.card.id == ("main", 1) else {"x"}), at


async def test_a_transaction_that_fails_leaves_the_accounts_behind_to_be_looked_at_again() -> None:
    world = await World(owning(timer_batch=10)).begin()
    await world.say(("acme", "z", {}), ("acme", "z", {}), ("acme", "z", {}))
    world.change("activate", "main", version=3)
    await world.say(("acme", "z", {}))
    await world.refold()
    await world.timers(fails=True)
    with world.owner.rolled_back(world.handler):
        await world.handler.handle_due(TX, [PARTITION], world.owner.clock.now())
        await world.handler.handle_due(TX, [PARTITION], world.owner.clock.now())
    await world.settle()
    assert_as_if_always(world)


async def test_accounts_that_were_brought_up_in_a_transaction_that_failed_are_behind_again() -> None:
    world = await World().begin()
    await world.say(*[("acme", "z", {})] * 3)
    world.change("activate", "main", version=3)
    await world.timers()
    await world.refold()
    with world.owner.rolled_back(world.handler):
        await world.handler.handle_due(TX, [PARTITION], world.owner.clock.now())
        await world.handler.handle_due(TX, [PARTITION], world.owner.clock.now())
        assert not world.owner.duties.behind()
    await world.say(("acme", "z", {}))
    await world.settle()
    assert_as_if_always(world)


async def test_a_threshold_that_goes_away_is_left_however_many_models_an_account_has_missed() -> None:
    world = await World().begin()
    await world.say(("acme", "x", {}))
    assert crossings(world.owner) == [("low_x", "entered")]
    world.owner.models.change("activate", "main", version=4)
    world.owner.models.change("activate", "side", version=1)
    await world.settle()
    assert crossings(world.owner) == [("low_x", "entered"), ("low_x", "left"), ("low_xyz", "entered")]
    told = world.owner.outbox.told("health.crossings.v1")[-1]["data"]
    assert told["cause"] == {"kind": "model", "fact_ids": [], "outreach": False, "facts": []}


@pytest.mark.parametrize("behind", [False, True])
async def test_a_source_that_falls_silent_while_a_model_waits_for_its_past_turns_nobody_red(
    behind: bool,
) -> None:
    world = await World().begin()
    world.change("activate", "main", version=4)
    await world.settle()
    await world.say(*[("acme", "x", {})] * 3)
    if behind:
        world.owner.models.change("activate", "main", version=2)
        world.change("activate", "main", version=4)
    else:
        world.change("activate", "main", version=3)
        await world.timers()
    for type_ in "xyz":
        world.change("silence", type_, since=EPOCH + timedelta(days=1))
    world.owner.clock.advance(timedelta(days=300))
    await world.timers()
    await world.timers()
    assert crossings(world.owner) == []
    state = world.owner.accounts.rows["acme"].state
    assert state.last is not None
    assert state.last.frozen


facts = st.lists(
    st.tuples(
        st.sampled_from(["acme", "best", "coop"]),
        st.one_of(
            st.tuples(st.sampled_from("xyz"), st.fixed_dictionaries({"number": st.integers(0, 9)})),
            st.tuples(
                st.just("csm.account.changed"),
                st.fixed_dictionaries({"segment": st.sampled_from(["big", "small"])}),
            ),
            st.tuples(st.just("csm.account.erased"), st.just({})),
        ),
    ).map(lambda drawn: (drawn[0], *drawn[1])),
    min_size=1,
    max_size=4,
)
changes: st.SearchStrategy[tuple[str, str, dict[str, Any]]] = st.sampled_from(
    [
        *(("activate", name, {"version": version}) for name, version in CHOICES),
        ("retire", "side", {}),
        ("silence", "x", {"since": EPOCH}),
        ("silence", "z", {"since": EPOCH + timedelta(minutes=3)}),
        ("sound", "x", {}),
    ]
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("facts"), facts, st.booleans() | st.just(False)),
        st.tuples(st.just("facts"), facts, st.just(False)),
        st.tuples(st.just("change"), changes, st.booleans()),
        st.tuples(st.just("refold")),
        st.tuples(st.just("timers"), st.booleans()),
        st.tuples(st.just("restart")),
    ),
    max_size=16,
)


@thorough
@given(steps, st.sampled_from([1, 2, 10]))
async def test_whatever_comes_in_between_it_is_as_if_the_last_model_had_always_been_there(
    steps: list[Any], timer_batch: int
) -> None:
    world = await World(owning(timer_batch=timer_batch)).begin()
    for kind, *rest in steps:
        if kind == "facts":
            await world.say(*rest[0], fails=rest[1])
        elif kind == "change":
            (told, name, more), heard = rest
            world.owner.models.change(told, name, **more)
            if heard:
                world.owner.duties.look_out()
        elif kind == "refold":
            await world.refold()
        elif kind == "timers":
            await world.timers(fails=rest[0])
        else:
            await world.restart()
    await world.settle()
    assert_as_if_always(world)
