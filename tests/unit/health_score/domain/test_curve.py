"""Values become points along straight lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import thorough

from health_score.domain.curve import Curve

knots = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(0, 100)),
    min_size=1,
    max_size=6,
    unique_by=lambda knot: knot[0],
).map(lambda found: tuple((float(x), float(y)) for x, y in sorted(found)))


@pytest.mark.parametrize(
    ("value", "points"), [(-5, 100), (0, 100), (5, 50), (10, 0), (15, 40), (20, 80), (1e9, 80), (-1e300, 100)]
)
def test_points_lie_on_the_lines_and_stay_level_beyond_the_ends(value: float, points: float) -> None:
    assert Curve(((0, 100), (10, 0), (20, 80))).points(value) == points


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ((), "at least one knot"),
        (((0, 0), (0, 100)), "rise from knot to knot"),
        (((5, 0), (0, 100)), "rise from knot to knot"),
        (((0, 101),), "from 0 to 100"),
        (((float("nan"), 1),), "within"),
        (((1e16, 1),), "within"),
        (((0, 0), (1e-7, 1)), "by 1e-06 at least"),
    ],
)
def test_a_curve_that_is_none_is_refused(bad: tuple[tuple[float, float], ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Curve(bad)


@thorough
@given(knots, st.floats(-60, 60), st.floats(-60, 60))
def test_extremes_are_reached_and_never_exceeded(
    knots: tuple[tuple[float, float], ...], one: float, other: float
) -> None:
    curve = Curve(knots)
    least, greatest = curve.extremes(one, other)
    steps = [one + (other - one) * step / 100 for step in range(101)]
    inside = [x for x, _ in knots if min(one, other) < x < max(one, other)]
    points = [curve.points(each) for each in (*steps, *inside)]
    assert least == pytest.approx(min(points), abs=1e-9)
    assert greatest == pytest.approx(max(points), abs=1e-9)
