"""The foretold instant is the one that looking at every single second finds."""

from math import ceil, inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.cards import HORIZON, cards, facts_between, silences
from tests.unit.health_score.domain.examples import (
    DAY,
    NOW,
    account,
    card_of,
    fact,
    look_at,
    measure,
    model_of,
    thorough,
)

from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.look import assess, look
from health_score.domain.model import Model
from health_score.domain.scorecard import Knockout, Threshold
from health_score.domain.signals import Count, Latest, Ratio, Recency, Selector, Trend
from health_score.domain.silences import Silences
from health_score.domain.thresholds import OUTSIDE, Direction, ThresholdState, step
from health_score.domain.timers import next_instant


def looks(model: Model, state: AccountState, now: float) -> tuple[Any, ...]:
    """What `next_instant` promises to tell changes of: the band, what holds it, what is known, where each threshold stands, a
    backfill."""
    card = model.choices[0].card
    found = assess(card, state, now, model.silences)
    known = [name for name, value in found.values.items() if value is not None]
    stands = [
        step(
            watch.threshold,
            state.thresholds.get(watch.threshold.name, OUTSIDE),
            found.of(watch.target),
            found.coverage,
            now,
        )[0]
        for watch in card.watches
    ]
    backfilling = state.backfill_until is not None and now < state.backfill_until
    return found.band, found.caps, found.overridden, known, stands, backfilling


def first_change(model: Model, state: AccountState, now: float) -> float | None:
    """The same, by looking at every second."""
    at_rest = looks(model, state, now)
    later = range(int(now) + 1, int(now + HORIZON) + 1)
    return next((float(second) for second in later if looks(model, state, second) != at_rest), None)


@thorough
@given(
    cards(), facts_between(-3 * HORIZON, 0, backfill=True), silences, st.integers(0, 6), st.floats(0, HORIZON)
)
def test_any_card_and_account(
    card: CompiledCard, facts: list[Fact], silences: Silences, first: int, wait: float
) -> None:
    model = model_of(card, silences=silences)
    state = account(model, facts[:first])
    look_at(model, state)
    for each in facts[first:]:
        fold(model, state, each)
    now = NOW + wait
    found = look_at(model, state, now)
    due = found.due
    if found.backfilling:  # nobody is told what time alone changes before the import is taken to have ended
        assert due == ceil(state.backfill_until or inf)
        return
    foretold = due if due is not None and due <= now + HORIZON else None
    assert foretold == first_change(model, state, now)
    assert next_instant(look(card, state, now, silences), state, now, HORIZON) == foretold


@thorough
@given(cards(), facts_between(-3 * HORIZON, 0), silences)
def test_each_due_look_finds_a_change_so_it_never_fires_in_vain(
    card: CompiledCard, facts: list[Fact], silences: Silences
) -> None:
    model = model_of(card, silences=silences)
    state = account(model, facts)
    due = look_at(model, state).due
    for _ in range(4):
        if due is not None:
            assert looks(model, state, due) != looks(model, state, due - 1)
            due = look_at(model, state, due, "timer").due


Crossed = tuple[str, Direction, float, int]
"""Threshold, direction, second and number."""


def crossed_by_dues(model: Model, facts: list[Fact], end: float, rest_s: float | None) -> list[Crossed]:
    """Look when facts arrive (each at the second of its id) and when a look is due."""
    crossed: list[Crossed] = []
    state, due = AccountState("acme"), None
    for arrives, each in [*((float(each.id), each) for each in facts), (end, None)]:
        while due is not None and due < arrives:
            found = look_at(model, state, due, "timer")
            crossed += [(one.threshold, one.direction, due, one.sequence) for one in found.crossings]
            assert found.due is None or found.due > due
            due = found.due
        if each is not None:
            fold(model, state, each)
            found = look_at(model, state, arrives, rest_s=rest_s)
            crossed += [(one.threshold, one.direction, arrives, one.sequence) for one in found.crossings]
            due = found.due
    return crossed


def crossed_by_seconds(model: Model, facts: list[Fact], end: float) -> list[Crossed]:
    """Look at every second."""
    crossed: list[Crossed] = []
    card, state = model.choices[0].card, AccountState("acme")
    stands: dict[str, ThresholdState] = {}
    arriving = list(facts)
    for second in range(int(NOW), int(end)):
        while arriving and float(arriving[0].id) == second:
            fold(model, state, arriving.pop(0))
        if not state.folded:
            continue
        found = assess(card, state, second, model.silences)
        for watch in card.watches:
            name = watch.threshold.name
            number, before = found.of(watch.target), stands.get(name, OUTSIDE)
            stands[name], direction = step(watch.threshold, before, number, found.coverage, second)
            if direction is not None:
                crossed.append((name, direction, float(second), stands[name].sequence))
    return crossed


@thorough
@given(
    cards(), facts_between(-HORIZON, HORIZON, arriving=True), silences, st.sampled_from([None, 7.5, 100.0])
)
def test_a_whole_run_crosses_at_the_seconds_at_which_looking_at_every_second_does(
    card: CompiledCard, facts: list[Fact], silences: Silences, rest_s: float | None
) -> None:
    model = model_of(card, silences=silences)
    end = NOW + 2 * HORIZON
    assert crossed_by_dues(model, facts, end, rest_s) == crossed_by_seconds(model, facts, end)


def visits(*ages: float) -> list[Fact]:
    return [fact("visit", NOW - age * DAY) for age in ages]


SILENT = Threshold("silent", "measure:silence", enter=7, exit=7, direction="above")
SILENCE = measure("silence", Recency(Selector(("visit",))), curve=Curve(((0, 100), (10, 0))))


def due_after(card: CompiledCard, facts: list[Fact], **more: Any) -> float | None:
    """Days until the next look."""
    model = model_of(card)
    state = account(model, facts)
    look_at(model, state)
    due = next_instant(look(card, state, NOW), state, NOW, **more)
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


def test_a_knock_out_by_silence_begins_on_time() -> None:
    gone = Knockout("gone", "measure:silence", 5, "above", "critical")
    steady = measure("silence", Recency(Selector(("visit",))), curve=Curve(((0, 100),)))
    assert due_after(card_of(steady, knockouts=[gone]), visits(0)) == pytest.approx(5 + 1 / DAY)
    assert due_after(card_of(steady, knockouts=[gone]), visits(6)) is None


def test_an_override_ends_on_time() -> None:
    held = fact("csm.override.set", score=90, reason="known better", until="2026-03-12T09:00:00Z")
    steady = measure("said", Latest(Selector(("survey",), value="score")))
    assert due_after(card_of(steady), [fact("survey", score=10), held]) == 10.0
    assert due_after(card_of(SILENCE), [*visits(0), held]) == 10.0  # no band is crossed beneath it


def test_a_trend_becomes_known_on_time_and_a_ratio_while_both_are() -> None:
    uses = Trend(Selector(("visit",)), 7, 28)
    assert due_after(card_of(measure("trend", uses)), visits(3)) == 25.0
    said = Latest(Selector(("survey",), value="score"), 20)
    per = measure("per", Ratio(Count(Selector(("visit",)), 7), said), curve=Curve(((0, 100),)))
    assert due_after(card_of(per), [*visits(0), fact("survey", score=10)]) == 20.0
    assert (
        due_after(card_of(measure("never", Ratio(uses, said))), [*visits(0), fact("survey", score=10)])
        is None
    )


def test_one_number_that_rises_while_another_falls_is_searched_exactly() -> None:
    errors = measure("errors", Count(Selector(("error",)), 1), curve=Curve(((0, 100), (4, 0))))
    rising_and_falling = card_of(SILENCE, errors)
    model = model_of(rising_and_falling)
    state = account(model, [*visits(0), *[fact("error", NOW) for _ in range(4)]])
    due = look_at(model, state).due
    assert due is not None
    bands = [assess(rising_and_falling, state, at).band for at in (NOW, due - 1, due)]
    assert bands[0] == bands[1] != bands[2]
