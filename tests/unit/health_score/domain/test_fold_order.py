"""Folding is commutative: whatever order facts arrive in, the state is what the whole list of them means."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain import reference
from tests.unit.health_score.domain.examples import DAY, NOW, folded, thorough

from health_score.domain.fact import Fact
from health_score.domain.signals import AnySignal, Count, Latest, Mean, Open, Recency, Selector, Sum, Until
from health_score.domain.signals.base import read

TYPE = ("thing.happened",)
times = st.integers(0, 20 * 86_400).map(lambda back: NOW - back)
few_times = st.integers(0, 4).map(lambda days: NOW - days * DAY)
numbers: st.SearchStrategy[Any] = st.integers(-5, 20) | st.sampled_from(
    [None, "word", float("nan"), True, []]
)


def facts_of(data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Fact]]:
    stamped = st.lists(st.tuples(times | few_times, data), max_size=12)
    return stamped.map(
        lambda found: [Fact(f"e{at}", TYPE[0], "acme", time, data) for at, (time, data) in enumerate(found)]
    )


values = facts_of(st.fixed_dictionaries({"value": numbers}))
dates = facts_of(
    st.fixed_dictionaries({"date": st.sampled_from([None, "2026-04-01", "2026-05-01T12:00:00Z", "soon"])})
)
tickets = facts_of(
    st.fixed_dictionaries(
        {
            "ticket": st.sampled_from(["t1", "t2"]),
            "status": st.sampled_from([None, "open", "pending", "solved"]),
            "priority": st.sampled_from([None, "low", "urgent"]),
            "escalated": st.sampled_from([None, True, False]),
        }
    )
)

select = Selector(TYPE, value="value")
odd = Selector(TYPE, where={"value": (1, 3, 5, True, None)})
open_tickets = Open(
    Selector(TYPE),
    item="ticket",
    open_when={"status": ("open", "pending")},
    weights={"priority": {"urgent": 4.0}, "escalated": {True: 2.0}},
    expires_days=10,
)
escalations = Open(
    Selector(TYPE), item="ticket", open_when={"status": ("open", "pending"), "escalated": (True,)}
)


def nearly(number: float | None) -> Any:
    return None if number is None else pytest.approx(number, rel=1e-9, abs=1e-12)


def assert_any_order_means_the_same(
    signal: AnySignal,
    meaning: Callable[[Any, list[Fact], float], float | None],
    facts: list[Fact],
    data: st.DataObject,
    *,
    exact: bool = True,
) -> None:
    shuffled = data.draw(st.permutations(facts))
    one, other = folded(signal, facts), folded(signal, shuffled)
    now = NOW + data.draw(st.integers(0, 30)) * DAY
    assert read(signal, other, now) == nearly(meaning(signal, facts, now))
    if exact:
        assert one == other
    else:
        assert read(signal, one, now) == nearly(read(signal, other, now))


@thorough
@given(values, st.sampled_from([0.01, 1.0, 14.0, 400.0]), st.data())
def test_totals(facts: list[Fact], half_life: float, data: st.DataObject) -> None:
    assert_any_order_means_the_same(Sum(select, half_life), reference.total, facts, data, exact=False)
    assert_any_order_means_the_same(
        Count(Selector(TYPE), half_life), reference.total, facts, data, exact=False
    )


@thorough
@given(values, st.sampled_from([0.01, 1.0, 14.0, 400.0]), st.data())
def test_means(facts: list[Fact], half_life: float, data: st.DataObject) -> None:
    assert_any_order_means_the_same(Mean(select, half_life), reference.mean, facts, data, exact=False)


@thorough
@given(values, st.data())
def test_recencies(facts: list[Fact], data: st.DataObject) -> None:
    assert_any_order_means_the_same(Recency(odd), reference.recency, facts, data)


@thorough
@given(values, st.data())
def test_latest_values(facts: list[Fact], data: st.DataObject) -> None:
    assert_any_order_means_the_same(Latest(select, 25), reference.latest, facts, data)


@thorough
@given(dates, st.data())
def test_dates(facts: list[Fact], data: st.DataObject) -> None:
    assert_any_order_means_the_same(Until(Selector(TYPE, value="date")), reference.until, facts, data)


@thorough
@given(tickets, st.sampled_from([open_tickets, escalations]), st.data())
def test_open_items(facts: list[Fact], signal: Open, data: st.DataObject) -> None:
    assert_any_order_means_the_same(signal, reference.open_items, facts, data)


@thorough
@given(values, tickets, st.integers(0, 12))
def test_a_state_can_be_put_away_and_taken_up_at_any_point(
    values: list[Fact], tickets: list[Fact], at: int
) -> None:
    signals: list[tuple[AnySignal, list[Fact]]] = [
        (Sum(select, 14), values),
        (Mean(select, 14), values),
        (Recency(odd), values),
        (Latest(select, 90), values),
        (open_tickets, tickets),
    ]
    for signal, facts in signals:
        state = folded(signal, facts[:at])
        if state is not None:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=signal.state_type)
        for each in facts[at:]:
            state = signal.fold(state, each)
        assert state == folded(signal, facts)
