"""Hysteresis: entered and left strictly alternate, whatever the values do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import thorough

from health_score.domain.scorecard import Threshold
from health_score.domain.thresholds import OUTSIDE, Direction, ThresholdState, corridor, ready_at, step

LOW = Threshold("low", "score", enter=50, exit=55, direction="below")
HIGH = Threshold("high", "score", enter=5, exit=3, direction="above")


def crossings(
    threshold: Threshold, *looks: tuple[float, float | None], coverage: float = 1.0
) -> list[tuple[float, Direction]]:
    """The instants and directions of the crossings when these values are seen at these instants."""
    found: list[tuple[float, Direction]] = []
    state = OUTSIDE
    for now, value in looks:
        state, direction = step(threshold, state, value, coverage, now)
        if direction is not None:
            found.append((now, direction))
    return found


def test_the_first_look_that_meets_the_condition_is_a_crossing() -> None:
    assert crossings(LOW, (1, 40)) == [(1, "entered")]
    assert crossings(HIGH, (1, 6)) == [(1, "entered")]


def test_between_the_levels_nothing_happens() -> None:
    assert crossings(LOW, (1, 50), (2, 49.9), (3, 54.9), (4, 45), (5, 55), (6, 51)) == [
        (2, "entered"),
        (5, "left"),
    ]
    assert crossings(HIGH, (1, 5), (2, 5.1), (3, 3.1), (4, 9), (5, 3), (6, 4)) == [
        (2, "entered"),
        (5, "left"),
    ]


def test_with_equal_levels_a_value_is_on_one_side_or_the_other() -> None:
    unpaid = Threshold("unpaid", "measure:unpaid", enter=0, exit=0, direction="above")
    assert crossings(unpaid, (1, 0), (2, 1), (3, 1), (4, 0)) == [(2, "entered"), (4, "left")]


def test_the_condition_has_to_hold_for_the_dwell() -> None:
    slow = replace(LOW, dwell_s=10)
    assert crossings(slow, (0, 40), (9.9, 40), (10, 40)) == [(10, "entered")]
    assert crossings(slow, (0, 40), (5, 50), (6, 40), (15, 40), (16, 40)) == [(16, "entered")]


def test_an_unknown_value_interrupts_the_dwell() -> None:
    assert crossings(replace(LOW, dwell_s=10), (0, 40), (5, None), (10, 40)) == []


def test_after_leaving_it_rests_and_the_dwell_runs_meanwhile() -> None:
    resting = replace(LOW, cooldown_s=100, dwell_s=50)
    assert crossings(resting, (0, 40), (50, 40), (60, 60), (70, 40), (159, 40), (160, 40)) == [
        (50, "entered"),
        (60, "left"),
        (160, "entered"),
    ]


def test_below_the_minimum_coverage_nothing_is_entered() -> None:
    assert crossings(replace(LOW, min_coverage=0.2), (1, 40), coverage=0.19) == []
    assert crossings(replace(LOW, min_coverage=0.2), (1, 40), coverage=0.2) == [(1, "entered")]


def test_what_is_entered_is_not_left_for_lack_of_data() -> None:
    assert crossings(LOW, (1, 40), (2, None), (3, 54)) == [(1, "entered")]
    inside = ThresholdState(inside=True, sequence=1)
    assert step(replace(LOW, min_coverage=0.5), inside, 60, 0.1, 9.0)[1] == "left"


values = st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(0, 100)), max_size=30)
thresholds = st.builds(
    lambda direction, levels, dwell, cooldown: Threshold(
        "any",
        "score",
        enter=min(levels) if direction == "below" else max(levels),
        exit=max(levels) if direction == "below" else min(levels),
        direction=direction,
        dwell_s=dwell,
        cooldown_s=cooldown,
    ),
    st.sampled_from(["below", "above"]),
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
    st.sampled_from([0, 5, 30]),
    st.sampled_from([0, 5, 30]),
)


@thorough
@given(thresholds, values)
def test_entered_and_left_strictly_alternate_and_are_numbered(
    threshold: Threshold, looks: list[tuple[int, int | None]]
) -> None:
    state, now, directions = OUTSIDE, 0, []
    for wait, value in looks:
        now += wait
        state, direction = step(threshold, state, value, 1.0, now)
        if direction is not None:
            directions.append(direction)
            assert state.sequence == len(directions)
    assert directions == (["entered", "left"] * len(directions))[: len(directions)]
    assert state.inside is bool(len(directions) % 2)


@thorough
@given(thresholds, values, st.integers(0, 100), st.sampled_from([0.1, 0.5]))
def test_the_corridor_tells_which_values_change_nothing(
    threshold: Threshold, looks: list[tuple[int, int | None]], value: int, coverage: float
) -> None:
    threshold = replace(threshold, min_coverage=0.3)
    state, now = OUTSIDE, 0
    for wait, seen in looks:
        now += wait
        state, _ = step(threshold, state, seen, coverage, now)
    low, high = corridor(threshold, state, coverage)
    soon = now + 0.001
    stays = step(threshold, state, value, coverage, soon)[0] == state
    assert stays is (low <= value < high and soon < ready_at(threshold, state))


@pytest.mark.parametrize("state", [OUTSIDE, ThresholdState(inside=True, since=None)])
def test_nothing_is_due_where_the_condition_does_not_hold(state: ThresholdState) -> None:
    assert ready_at(LOW, state) == float("inf")
