"""A person can recompute a score from its explanation with a pencil, whatever the card and the account."""

from math import inf

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import NOW, thorough
from tests.unit.health_score.explaining.generated import cards, curves, lived, overrides, silences, told

from health_score.domain.curve import Curve
from health_score.domain.explaining import explain, explain_told
from health_score.domain.explanation import Explanation, MeasureExplanation
from health_score.domain.leverage import nearest
from health_score.domain.look import assess

NEAR = 1e-4


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    card = draw(cards())
    state = lived(card, draw(told), draw(overrides))
    return explain(card, state, NOW, draw(silences()))


def points_by_pencil(measure: MeasureExplanation) -> float:
    """Along the line between the two knots that are named."""
    assert measure.segment is not None
    assert measure.value is not None
    left, right = measure.segment.left, measure.segment.right
    if left is None or right is None:
        return (left or right or (0.0, inf))[1]
    return left[1] + (right[1] - left[1]) / (right[0] - left[0]) * (measure.value - left[0])


@thorough
@given(explanations())
def test_points_follow_from_the_value_and_the_line_it_lies_on(found: Explanation) -> None:
    for each in found.measures:
        if each.points is not None:
            assert points_by_pencil(each) == pytest.approx(each.points, abs=NEAR)


@thorough
@given(explanations())
def test_what_is_earned_sums_to_the_computed_score_and_shares_to_one(found: Explanation) -> None:
    counted = [each for each in found.measures if each.share is not None]
    if found.computed is None:
        assert not counted
        return
    assert sum(each.share or 0.0 for each in counted) == pytest.approx(1.0, abs=NEAR)
    assert sum((each.share or 0.0) * (each.points or 0.0) for each in counted) == pytest.approx(
        found.computed, abs=NEAR
    )
    assert sum(each.earned for each in found.dimensions) == pytest.approx(found.computed, abs=NEAR)


@thorough
@given(explanations())
def test_earned_and_missed_are_all_that_a_measure_could_bring(found: Explanation) -> None:
    for each in found.measures:
        if each.share is not None:
            assert (each.earned or 0.0) + (each.missed or 0.0) == pytest.approx(100 * each.share, abs=NEAR)
        else:
            assert each.earned is None


@thorough
@given(explanations())
def test_coverage_is_the_sum_of_the_shares_of_what_is_known(found: Explanation) -> None:
    known = sum(each.full_share for each in found.measures if each.points is not None)
    assert known == pytest.approx(found.coverage, abs=NEAR)
    assert sum(each.full_share for each in found.measures) == pytest.approx(1.0, abs=NEAR)


@thorough
@given(explanations())
def test_knockouts_and_the_override_explain_what_the_sum_does_not(found: Explanation) -> None:
    if found.overridden:
        assert found.override is not None
        assert found.override.score in (None, found.score)
        return
    assert found.score == found.capped
    if found.computed is not None and found.capped is not None:
        cost = max([each.cost for each in found.knockouts if each.in_force], default=0.0)
        assert found.capped + cost == pytest.approx(found.computed, abs=NEAR)


@thorough
@given(explanations())
def test_no_measure_could_add_more_than_the_one_that_is_named(found: Explanation) -> None:
    gains = {
        each.name: (each.share or 0.0) * (max(points for _, points in each.curve) - (each.points or 0.0))
        for each in found.measures
        if each.share is not None
    }
    best = max(gains.values(), default=0.0)
    if found.helps_most is None:
        assert best == pytest.approx(0.0, abs=NEAR)
    else:
        assert found.helps_most.gain == pytest.approx(best, abs=NEAR)
        assert gains[found.helps_most.measure] == pytest.approx(best, abs=NEAR)


@thorough
@given(explanations())
def test_the_value_named_for_the_next_band_reaches_it(found: Explanation) -> None:
    for each in found.measures:
        if each.next_band_at is None or found.computed is None or each.share is None:
            continue
        points = Curve(each.curve).points(each.next_band_at)
        lifted = found.computed + each.share * (points - (each.points or 0.0))
        lows = [25.0, 50.0, 75.0]
        assert lifted >= next(low for low in lows if low > found.computed) - NEAR


@thorough
@given(curves, st.floats(-2, 14), st.integers(0, 100))
def test_a_curve_read_backwards_gives_the_nearest_value_with_the_points(
    curve: Curve, value: float, wanted: float
) -> None:
    found = nearest(curve, value, wanted)
    steps = [step / 16 for step in range(-32, 225)]
    reached = [each for each in steps if curve.points(each) >= wanted]
    if found is None:
        assert not reached
        return
    assert curve.points(found) >= wanted - NEAR
    assert abs(found - value) <= min([abs(each - value) for each in reached], default=inf) + NEAR


@thorough
@given(cards(), told, overrides)
def test_what_was_told_is_explained_by_the_same_sums(
    card: object, facts: list[tuple[int, int, float]], override: dict[str, object] | None
) -> None:
    state = lived(card, facts, override)  # type: ignore[arg-type]
    found = assess(card, state, NOW)  # type: ignore[arg-type]
    now, then = explain(card, state, NOW, {}), explain_told(card, "acme", found, NOW)  # type: ignore[arg-type]
    assert [each.earned for each in now.measures] == [each.earned for each in then.measures]
    assert (now.score, now.capped, now.coverage) == (then.score, then.capped, then.coverage)


@thorough
@given(explanations())
def test_the_numbers_of_the_answer_are_enough_to_repeat_the_sum(found: Explanation) -> None:
    answer = msgspec.json.decode(msgspec.json.encode(found))
    parts = [
        each["share"] * each["points"]
        for dimension in answer["dimensions"]
        for each in dimension["measures"]
        if each["share"] is not None
    ]
    assert sum(parts) == pytest.approx(answer["computed"] or 0.0, abs=0.01)
