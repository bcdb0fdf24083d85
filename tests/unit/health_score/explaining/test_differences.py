"""What is foreseen does come, and what moved sums to the difference, whatever the card and the account."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, model_of, thorough
from tests.unit.health_score.explaining.generated import cards, lived, overrides, told

from health_score.domain.assessment import Assessment
from health_score.domain.comparison import moved
from health_score.domain.compiled import CompiledCard
from health_score.domain.evaluation import Cause, evaluate
from health_score.domain.explaining import explain
from health_score.domain.look import assess

Facts = list[tuple[int, int, float]]


def stands(found: Assessment, thresholds: Any) -> tuple[Any, ...]:
    known = [name for name, value in found.values.items() if value is not None]
    sides = [(name, each.inside, each.since is not None) for name, each in sorted(thresholds.items())]
    return found.band, found.caps, found.overridden, known, sides


@thorough
@given(cards(), told, overrides)
def test_what_is_foreseen_names_something_that_changes_then_and_not_before(
    card: CompiledCard, facts: Facts, override: dict[str, Any] | None
) -> None:
    state = lived(card, facts, override)
    foreseen = explain(card, state, NOW, {}).foreseen
    before = stands(assess(card, state, NOW), state.thresholds)
    if foreseen is None:
        return
    assert foreseen.turns
    at = foreseen.at.timestamp()
    if at - 1 > NOW:
        evaluate(model_of(card), state, at - 1, Cause("timer"))
        assert stands(assess(card, state, at - 1), state.thresholds) == before
    evaluate(model_of(card), state, at, Cause("timer"))
    found = assess(card, state, at)
    assert stands(found, state.thresholds) != before
    assert found.score == foreseen.score


@thorough
@given(cards(1), cards(2), told, told, st.integers(0, 60))
def test_what_moved_sums_to_the_difference_of_the_computed_scores(
    card: CompiledCard, other: CompiledCard, first: Facts, second: Facts, days: int
) -> None:
    before = assess(card, lived(card, first, None), NOW)
    later = NOW + days * DAY
    for judge in (card, other):
        after = assess(judge, lived(judge, [*first, *second], None, later), later)
        found = moved(before, after)
        difference = (after.computed or 0.0) - (before.computed or 0.0)
        assert sum(each.moved for each in found) == pytest.approx(difference, abs=1e-4)
        assert [abs(each.moved) for each in found] == sorted(
            (abs(each.moved) for each in found), reverse=True
        )


@thorough
@given(cards(), told)
def test_what_was_told_first_moved_as_a_whole(card: CompiledCard, facts: Facts) -> None:
    after = assess(card, lived(card, facts, None), NOW)
    found = moved(None, after)
    assert {each.name for each in found} == {name for name, part in after.parts.items() if part is not None}
    assert moved(after, after) == ()
