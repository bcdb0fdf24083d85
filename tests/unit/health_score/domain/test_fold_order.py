"""Folding is commutative: whatever order facts arrive in and however they are split, the state is what all of them mean."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain import reference
from tests.unit.health_score.domain.examples import (
    DAY,
    NOW,
    account,
    card_of,
    folded,
    measure,
    model_of,
    number_of,
    thorough,
)
from tests.unit.health_score.domain.samples import facts, readers, signals

from health_score.domain.account import AccountState, join
from health_score.domain.fact import Fact
from health_score.domain.signals import (
    SIGNALS,
    AnyReader,
    AnySignal,
    Count,
    Mean,
    Ratio,
    Selector,
    Sum,
    Trend,
)

SUMS = (Count, Sum, Mean, Trend)
"""Whose states are sums of floats, and so the same up to rounding only."""

SELECT_ALL = Selector(("thing.happened",))
splits = st.lists(st.integers(0, 2), min_size=12, max_size=12)
waits = st.integers(0, 30).map(lambda days: days * DAY) | st.floats(0, 30 * DAY)


def nearly(number: float | None) -> Any:
    return None if number is None else pytest.approx(number, rel=1e-9, abs=1e-9)


def merged(signal: AnySignal, facts: list[Fact], split: list[int]) -> Any:
    """The state when the facts are folded in up to three parts."""
    states = [
        folded(signal, [each for each, at in zip(facts, split, strict=False) if at == part])
        for part in range(3)
    ]
    whole = None
    for state in states:
        if state is not None:
            before = msgspec.msgpack.encode(state)
            whole = state if whole is None else signal.merge(whole, state)
            assert whole is state or msgspec.msgpack.encode(state) == before
    return whole


def selected(signal: AnySignal, facts: list[Fact]) -> list[Fact]:
    return [each for each in facts if signal.select.matches(each.data)]


@thorough
@given(readers, facts, st.randoms(use_true_random=False), waits)
def test_any_order_means_what_the_list_of_facts_means(
    reader: AnyReader, facts: list[Fact], random: Any, wait: float
) -> None:
    shuffled = random.sample(facts, len(facts))
    assert number_of(reader, shuffled, NOW + wait) == nearly(reference.number_of(reader, facts, NOW + wait))


@thorough
@given(signals, facts, splits, st.randoms(use_true_random=False), waits)
def test_any_order_and_any_split_give_the_same_state(
    signal: AnySignal, facts: list[Fact], split: list[int], random: Any, wait: float
) -> None:
    mine = selected(signal, facts)
    one, other = folded(signal, mine), merged(signal, random.sample(mine, len(mine)), split)
    if not isinstance(signal, SUMS):
        assert one == other
    elif one is None or other is None:
        assert one is other
    else:
        assert signal.form(one).value(NOW + wait) == nearly(signal.form(other).value(NOW + wait))
        assert signal.span(one) == pytest.approx(signal.span(other), rel=1e-9)


@thorough
@given(signals, facts, st.integers(0, 12))
def test_a_state_can_be_put_away_and_taken_up_at_any_point(
    signal: AnySignal, facts: list[Fact], at: int
) -> None:
    mine = selected(signal, facts)
    state = folded(signal, mine[:at])
    if state is not None:
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=signal.state_type)
    for each in mine[at:]:
        state = signal.fold(state, each)
    assert state == folded(signal, mine)


@thorough
@given(st.lists(readers, min_size=1, max_size=4), facts, splits, st.randoms(use_true_random=False))
def test_parts_of_an_accounts_facts_join_to_the_whole(
    readers: list[AnyReader], facts: list[Fact], split: list[int], random: Any
) -> None:
    model = model_of(card_of(*(measure(f"m{at}", reader) for at, reader in enumerate(readers))))
    shuffled = random.sample(facts, len(facts))
    parts = [
        account(model, [each for each, at in zip(shuffled, split, strict=False) if at == part])
        for part in range(3)
    ]
    joined = AccountState("acme")
    for part in parts:
        join(model, joined, part)
    whole = account(model, facts)
    assert joined.trails == whole.trails
    assert joined.signals.keys() == whole.signals.keys()
    for key, state in whole.signals.items():
        signal = model.signals[key]
        assert signal.form(joined.signals[key]).value(NOW) == nearly(signal.form(state).value(NOW))
        assert isinstance(signal, SUMS) or joined.signals[key] == state


@thorough
@given(facts, st.randoms(use_true_random=False))
def test_the_newest_three_facts_of_a_feed_are_remembered(facts: list[Fact], random: Any) -> None:
    model = model_of(card_of(measure("one", Count(SELECT_ALL, 7)), measure("two", Count(SELECT_ALL, 14))))
    [trail] = account(model, random.sample(facts, len(facts))).trails.values() or [[]]
    newest = sorted(facts, key=lambda each: (each.time, each.id), reverse=True)[:3]
    assert [id_ for _, id_, _ in trail] == [each.id for each in newest]


def test_every_kind_of_signal_is_meant() -> None:
    assert {*reference.MEANINGS, Ratio} == set(SIGNALS.values())
