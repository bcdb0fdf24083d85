"""The verdict: it comes with the planned sample and not before, and names a winner by luck at most one time in twenty."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.domain.effect import (
    Arms,
    Tally,
    Verdict,
    judge,
    no_goal,
    no_holdout,
    plan,
    rate_of,
    uplift_of,
)
from playbooks.domain.proportions import Share

PLANNED = Arms(treated=200, held_out=100)


def sample(matured: int, reached: int, planned: int) -> Tally:
    """An arm whose first `planned` accounts reached the goal as all of them did."""
    first = min(matured, planned)
    return Tally(
        entered=matured,
        matured=matured,
        reached=reached,
        planned=first,
        planned_reached=min(first, reached),
    )


def verdict(treated: int, held_out: int) -> Verdict:
    """Of the planned sample with so many that reached the goal."""
    return judge(sample(200, treated, 200), sample(100, held_out, 100), PLANNED, 0.1)


def test_a_rate_is_of_accounts_whose_window_is_over() -> None:
    rate = rate_of(Tally(entered=50, matured=20, reached=5, reached_early=12))
    assert (rate.rate, rate.matured, rate.goal_reached, rate.reached_early) == (0.25, 20, 5, 12)


def test_there_is_no_rate_before_a_window_is_over() -> None:
    rate = rate_of(Tally(entered=50, reached_early=12))
    assert (rate.rate, rate.interval) == (None, None)


def test_an_uplift_is_told_in_points_and_as_a_part_of_what_would_have_happened_anyway() -> None:
    uplift = uplift_of(Share(60, 100), Share(40, 100))
    assert uplift is not None
    assert uplift.difference == pytest.approx(0.2)
    assert uplift.relative == pytest.approx(0.5)


def test_there_is_no_relative_uplift_over_nothing_and_none_at_all_over_nobody() -> None:
    uplift = uplift_of(Share(60, 100), Share(0, 100))
    assert uplift is not None
    assert uplift.relative is None
    assert uplift_of(Share(60, 100), Share(0, 0)) is None


def test_too_small_a_sample_says_how_many_are_missing() -> None:
    told = judge(sample(150, 150, 200), sample(100, 0, 100), PLANNED, 0.1)
    assert (told.kind, told.missing, told.uplift) == ("too_small", Arms(treated=50, held_out=0), None)
    assert told.told == (
        "Too early to say: to see a difference of 10 points, 200 treated and 100 held-out accounts have to be past their window;"
        " 50 treated and 0 held out are missing."
    )


@pytest.mark.parametrize(
    ("treated", "held_out", "kind"),
    [
        pytest.param(120, 40, "helps", id="60 against 40 percent"),
        pytest.param(80, 60, "harms", id="40 against 60 percent"),
        pytest.param(100, 48, "no_difference_seen", id="50 against 48 percent"),
        pytest.param(0, 0, "no_difference_seen", id="nobody reached it"),
    ],
)
def test_the_planned_sample_is_judged_by_its_interval(treated: int, held_out: int, kind: str) -> None:
    assert verdict(treated, held_out).kind == kind


def test_the_verdict_is_a_sentence_with_its_numbers() -> None:
    assert verdict(120, 40).told == (
        "It helps: 60.0% of the first 200 treated accounts reached the goal, and 40.0% of the first 100 held out;"
        " the difference is +20.0 points, and may lie between +8.0 and +31.2."
    )


def test_without_a_goal_or_a_holdout_it_says_what_to_do() -> None:
    assert "goal: {condition: …, within: 60d}" in no_goal(0.1).told
    assert "holdout: {share: 0.1}" in no_holdout(0.1).told


@given(st.integers(0, 200), st.integers(0, 100))
def test_whoever_swaps_the_rates_swaps_the_verdict(treated: int, held_out: int) -> None:
    planned = Arms(treated=100, held_out=100)
    there, back = (
        judge(sample(100, one, 100), sample(100, other, 100), planned, 0.1)
        for one, other in ((treated // 2, held_out), (held_out, treated // 2))
    )
    turned = {"helps": "harms", "harms": "helps"}
    assert back.kind == turned.get(there.kind, there.kind)


@given(st.integers(0, 199), st.integers(0, 100), st.integers(0, 100))
def test_no_winner_is_named_before_the_planned_sample(treated: int, hits: int, held_out_hits: int) -> None:
    told = judge(sample(treated, min(hits, treated), 200), sample(100, held_out_hits, 100), PLANNED, 0.1)
    assert told.kind == "too_small"


@given(st.integers(0, 200), st.integers(0, 100), st.integers(0, 10_000))
def test_accounts_beyond_the_plan_do_not_change_the_verdict(treated: int, held_out: int, more: int) -> None:
    later = Tally(
        entered=200 + more, matured=200 + more, reached=treated + more, planned=200, planned_reached=treated
    )
    assert judge(later, sample(100, held_out, 100), PLANNED, 0.1) == verdict(treated, held_out)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_equal_arms_are_told_apart_by_luck_at_most_one_time_in_twenty(rate: float, share: float) -> None:
    """Somebody looks at every fifth of the sample, three times as long, and takes the first winner that is named."""
    rng, detect, runs = random.Random(20260302), 0.2, 800  # noqa: S311  (a fixed seed, no secret)
    planned = plan(detect, share)
    winners = 0
    for _ in range(runs):
        treated, held_out = (
            [rng.random() < rate for _ in range(3 * size)] for size in (planned.treated, planned.held_out)
        )
        looks = [
            judge(
                seen(treated, planned.treated, fifths),
                seen(held_out, planned.held_out, fifths),
                planned,
                detect,
            )
            for fifths in range(1, 16)
        ]
        winners += any(each.kind in ("helps", "harms") for each in looks)
    assert winners / runs < 0.07  # 5 %, and two and a half standard errors of 800 runs on top


def seen(arm: list[bool], size: int, fifths: int) -> Tally:
    """What is known of an arm when so many fifths of its planned sample have matured."""
    matured = arm[: size * fifths // 5]
    first = matured[:size]
    return Tally(
        entered=len(arm),
        matured=len(matured),
        reached=sum(matured),
        planned=len(first),
        planned_reached=sum(first),
    )


def test_a_difference_as_large_as_planned_for_is_seen_four_times_in_five() -> None:
    rng, runs = random.Random(20260302), 800  # noqa: S311
    planned = plan(0.2, 0.1)
    found = 0
    for _ in range(runs):
        treated = sum(rng.random() < 0.6 for _ in range(planned.treated))
        held_out = sum(rng.random() < 0.4 for _ in range(planned.held_out))
        told = judge(
            sample(planned.treated, treated, planned.treated),
            sample(planned.held_out, held_out, planned.held_out),
            planned,
            0.2,
        )
        found += told.kind == "helps"
    assert found / runs > 0.77
