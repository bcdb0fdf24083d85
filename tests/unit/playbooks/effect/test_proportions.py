"""Intervals and sample sizes: the values of the papers, and what has to hold for any counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.domain.proportions import Interval, Share, newcombe, planned_sizes, wilson


@st.composite
def shares(draw: st.DrawFn) -> Share:
    of = draw(st.integers(0, 5000))
    return Share(draw(st.integers(0, of)), of)


def rounded(interval: Interval) -> tuple[float, float]:
    return round(interval.low, 4), round(interval.high, 4)


@pytest.mark.parametrize(
    ("hits", "of", "expected"),
    [
        pytest.param(81, 263, (0.2553, 0.3662), id="81 of 263"),
        pytest.param(15, 148, (0.0624, 0.1605), id="15 of 148"),
        pytest.param(0, 20, (0.0, 0.1611), id="0 of 20"),
        pytest.param(1, 29, (0.0061, 0.1718), id="1 of 29"),
    ],
)
def test_wilsons_interval_is_the_published_one(hits: int, of: int, expected: tuple[float, float]) -> None:
    """Method 3 in table I of Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17 (1998) 857–872."""
    assert rounded(wilson(Share(hits, of))) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((56, 70), (48, 80), (0.0524, 0.3339), id="56 of 70 and 48 of 80"),
        pytest.param((9, 10), (3, 10), (0.1705, 0.8090), id="9 of 10 and 3 of 10"),
        pytest.param((6, 7), (2, 7), (0.0582, 0.8062), id="6 of 7 and 2 of 7"),
        pytest.param((5, 56), (0, 29), (-0.0381, 0.1926), id="5 of 56 and 0 of 29"),
        pytest.param((0, 10), (0, 20), (-0.1611, 0.2775), id="0 of 10 and 0 of 20"),
        pytest.param((0, 10), (0, 10), (-0.2775, 0.2775), id="0 of 10 twice"),
        pytest.param((10, 10), (0, 20), (0.6791, 1.0), id="10 of 10 and 0 of 20"),
        pytest.param((10, 10), (0, 10), (0.6075, 1.0), id="10 of 10 and 0 of 10"),
    ],
)
def test_newcombes_interval_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], expected: tuple[float, float]
) -> None:
    """Method 10 in table II of Newcombe, Statistics in Medicine 17 (1998) 873–890."""
    assert rounded(newcombe(Share(*one), Share(*other))) == expected


@given(shares())
def test_wilsons_interval_lies_in_0_to_1_and_contains_the_share(share: Share) -> None:
    interval = wilson(share)
    assert 0 <= interval.low <= interval.high <= 1
    assert interval.low <= share.value + 1e-12
    assert share.of == 0 or share.value <= interval.high + 1e-12


@given(shares(), shares())
def test_newcombes_interval_lies_in_minus_1_to_1_and_contains_the_difference(
    one: Share, other: Share
) -> None:
    interval, difference = newcombe(one, other), one.value - other.value
    assert -1 <= interval.low <= difference + 1e-12
    assert difference - 1e-12 <= interval.high <= 1


@given(shares(), shares())
def test_to_swap_the_arms_is_to_turn_the_interval_round(one: Share, other: Share) -> None:
    there, back = newcombe(one, other), newcombe(other, one)
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert there.high == pytest.approx(-back.low, abs=1e-12)


@given(st.integers(0, 200), st.integers(1, 200), st.integers(2, 20))
def test_more_accounts_of_the_same_share_are_surer(hits: int, misses: int, times: int) -> None:
    few, many = Share(hits, hits + misses), Share(times * hits, times * (hits + misses))
    assert wilson(many).high - wilson(many).low < wilson(few).high - wilson(few).low


def test_half_and_half_the_plan_is_the_textbooks() -> None:
    """393 an arm for 10 points: (1.96 + 0.8416)² · 2 · ¼ / 0.1² = 392.4; Lehr's rule of thumb, 16 · ¼ / 0.1², says 400."""
    assert planned_sizes(0.1, 0.5) == (393, 393)


def test_few_held_out_need_many_treated() -> None:
    assert planned_sizes(0.1, 0.1) == (1963, 219)


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.99))
def test_a_plan_sees_what_it_is_for(detect: float, share: float) -> None:
    """A difference of one and a half times `detect` around one half is beyond doubt, half of it is not."""
    treated, held_out = planned_sizes(detect, share)
    assert min(treated, held_out) >= 1
    sure = 1.96 * (0.25 / treated + 0.25 / held_out) ** 0.5
    assert sure < detect
    assert abs(treated / held_out - (1 - share) / share) <= (1 - share) / share + 1


def test_more_hits_than_accounts_is_no_share() -> None:
    with pytest.raises(ValueError, match="4 of 3 is not a share"):
        Share(4, 3)
