"""The foretold instant is the one that looking at every single second finds."""

from math import ceil, inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, account, card, card_of, fact, measure, thorough

from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.evaluation import evaluate
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.scorecard import Dimension, Measure, Threshold
from health_score.domain.signals import Count, Latest, Mean, Open, Recency, Selector, Sum, Until
from health_score.domain.thresholds import step
from health_score.domain.timers import next_instant

HORIZON = 400
TYPE = ("thing.happened",)
seconds = st.integers(9, 2 * HORIZON).map(lambda found: found / DAY)
"""In days, as signals take them."""


def looks(card: CompiledCard, state: AccountState, now: float) -> tuple[Any, ...]:
    """What `next_instant` promises to tell changes of: the band, what is known, where each threshold stands, a backfill."""
    found = assess(card, state, now)
    known = [name for name, value in found.values.items() if value is not None]
    stands = [
        step(
            watch.threshold,
            state.thresholds[watch.threshold.name],
            found.of(watch.target),
            found.coverage,
            now,
        )[0]
        for watch in card.watches
    ]
    backfilling = state.backfill_until is not None and now < state.backfill_until
    return found.band, known, stands, backfilling


def first_change(card: CompiledCard, state: AccountState, now: float) -> float | None:
    """The same, by looking at every second."""
    at_rest = looks(card, state, now)
    later = range(int(now) + 1, int(now + HORIZON) + 1)
    return next((float(second) for second in later if looks(card, state, second) != at_rest), None)


select = Selector(TYPE, value="number")
signals = st.one_of(
    st.builds(Count, st.just(Selector(TYPE)), seconds),
    st.builds(Sum, st.just(select), seconds),
    st.builds(Mean, st.just(select), seconds, st.just(0.3)),
    st.just(Recency(Selector(TYPE))),
    st.builds(Latest, st.just(select), st.none() | seconds),
    st.builds(
        Open, st.just(Selector(TYPE)), st.just("item"), st.just({"open": (True,)}), st.just({}), seconds
    ),
    st.just(Until(Selector(TYPE, value="date"))),
)
levels = st.integers(0, 20).map(lambda found: found * 5.0)


def curves(low: float, high: float) -> st.SearchStrategy[Curve]:
    """Curves of any shape over the raw values from low to high."""
    knots = st.lists(
        st.tuples(st.integers(0, 12), levels), min_size=1, max_size=5, unique_by=lambda knot: knot[0]
    )
    return knots.map(lambda found: Curve(tuple((low + (high - low) * x / 12, y) for x, y in sorted(found))))


def fitting_curve(signal: object) -> st.SearchStrategy[Curve]:
    days = HORIZON / DAY
    if isinstance(signal, Recency):
        return curves(0, days)
    return curves(-days, days) if isinstance(signal, Until) else curves(-2, 6)


@st.composite
def cards(draw: st.DrawFn) -> CompiledCard:
    """Any card of up to two dimensions, four measures and three thresholds, its times within the horizon."""
    dimensions, number = [], 0
    for name in ["one", "two"][: draw(st.integers(1, 2))]:
        measures = []
        for _ in range(draw(st.integers(1, 2))):
            signal = draw(signals)
            measures.append(
                Measure(f"m{number}", draw(st.integers(1, 3)), signal, draw(fitting_curve(signal)))
            )
            number += 1
        dimensions.append(Dimension(name, draw(st.integers(1, 3)), tuple(measures)))
    watches = draw(st.lists(thresholds(number, len(dimensions)), max_size=3))
    named = [Threshold(f"t{at}", *each) for at, each in enumerate(watches)]
    return card(*dimensions, thresholds=named)


@st.composite
def thresholds(draw: st.DrawFn, measures: int, dimensions: int) -> tuple[Any, ...]:
    """The fields of a threshold after its name."""
    names = [f"measure:m{at}" for at in range(measures)] + ["dimension:one", "dimension:two"][:dimensions]
    target = draw(st.sampled_from(["score", "score", "coverage", *names]))
    scale = {"score": 100, "coverage": 1, "dimension": 100}.get(target.split(":")[0], HORIZON / DAY)
    enter, exit_ = draw(st.tuples(st.integers(-1, 20), st.integers(0, 4)))
    direction = draw(st.sampled_from(["below", "above"]))
    away = exit_ if direction == "below" else -exit_
    waits = st.sampled_from([0.0, 0.0, 30.5, 200.0])
    return (
        target,
        enter / 20 * scale,
        (enter + away) / 20 * scale,
        direction,
        draw(waits),
        draw(st.sampled_from([0.0, 0.4])),
        draw(waits),
    )


def dated(day: float | None) -> str | None:
    return None if day is None else f"2026-03-02T09:{int(day):02}:00Z"


facts = st.lists(
    st.tuples(
        st.integers(0, 3 * HORIZON),
        st.fixed_dictionaries(
            {
                "number": st.integers(-1, 5),
                "date": (st.none() | st.integers(0, 20)).map(dated),
                "item": st.sampled_from(["a", "b"]),
                "open": st.booleans(),
            }
        ),
        st.booleans() | st.just(False),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda found: [
        Fact(f"e{at}", TYPE[0], "acme", NOW - back / 3, data, backfill)
        for at, (back, data, backfill) in enumerate(found)
    ]
)


@thorough
@given(cards(), facts, st.integers(0, 6), st.floats(0, HORIZON))
def test_any_card_and_account(card: CompiledCard, facts: list[Fact], first: int, wait: float) -> None:
    state = account(card, facts[:first])
    evaluate(card, state, NOW)
    for each in facts[first:]:
        fold(card, state, each)
    now = NOW + wait
    found = evaluate(card, state, now)
    due = found.due
    if found.backfilling:  # nobody is told what time alone changes before the import is taken to have ended
        assert due == ceil(state.backfill_until or inf)
        return
    foretold = due if due is not None and due <= now + HORIZON else None
    assert foretold == first_change(card, state, now)
    assert next_instant(card, state, now, HORIZON) == foretold


@thorough
@given(cards(), facts)
def test_each_due_look_finds_a_change_so_it_never_fires_in_vain(
    card: CompiledCard, facts: list[Fact]
) -> None:
    state = account(card, facts)
    due = evaluate(card, state, NOW).due
    for _ in range(4):
        if due is not None:
            assert looks(card, state, due) != looks(card, state, due - 1)
            due = evaluate(card, state, due, cause_kind="timer").due


def visits(*ages: float) -> list[Fact]:
    return [fact("visit", NOW - age * DAY) for age in ages]


SILENT = Threshold("silent", "measure:silence", enter=7, exit=7, direction="above")
SILENCE = measure("silence", Recency(Selector(("visit",))), curve=Curve(((0, 100), (10, 0))))


def due_after(card: CompiledCard, facts: list[Fact], **more: Any) -> float | None:
    """Days until the next look."""
    state = account(card, facts)
    evaluate(card, state, NOW)
    due = next_instant(card, state, NOW, **more)
    return None if due is None else (due - NOW) / DAY


def test_silence_reaches_a_band_and_a_threshold_on_time() -> None:
    second = 1 / DAY
    assert due_after(card_of(SILENCE), visits(0)) == pytest.approx(2.5 + second)
    assert due_after(card_of(SILENCE), visits(3)) == pytest.approx(2.0 + second)
    assert due_after(card_of(SILENCE, thresholds=[SILENT]), visits(6)) == pytest.approx(1.0 + second)


def test_where_nothing_will_change_nothing_is_due() -> None:
    assert due_after(card_of(SILENCE), visits(20)) is None
    assert due_after(card_of(SILENCE), []) is None


def test_what_lies_beyond_the_horizon_is_left_for_later() -> None:
    assert due_after(card_of(SILENCE), visits(0), horizon_s=2.5 * DAY) is None
    assert due_after(card_of(SILENCE), visits(0), horizon_s=2.5 * DAY + 1) == pytest.approx(2.5, abs=1e-4)


def test_a_value_that_expires_is_a_change() -> None:
    said = measure("said", Latest(Selector(("survey",), value="score"), 180))
    assert due_after(card_of(said), [fact("survey", NOW - 10 * DAY, score=90)]) == 170


def test_one_number_that_rises_while_another_falls_is_searched_exactly() -> None:
    errors = measure("errors", Count(Selector(("error",)), 1), curve=Curve(((0, 100), (4, 0))))
    rising_and_falling = card_of(SILENCE, errors)
    facts = [*visits(0), *[fact("error", NOW) for _ in range(4)]]
    state = account(rising_and_falling, facts)
    evaluate(rising_and_falling, state, NOW)
    due = next_instant(rising_and_falling, state, NOW)
    assert due is not None
    bands = [assess(rising_and_falling, state, at).band for at in (NOW, due - 1, due)]
    assert bands[0] == bands[1] != bands[2]
