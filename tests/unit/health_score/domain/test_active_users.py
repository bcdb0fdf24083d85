"""How many people were active, from a sample of bounded size: the same whatever the order, and as near as is stated."""

from math import exp2, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain import reference
from tests.unit.health_score.domain.examples import DAY, NOW, fact, folded, number_of, thorough

from health_score.domain.fact import Fact
from health_score.domain.signals import ActiveUsers, Selector

USED = Selector(("used",))
SMALL = ActiveUsers(USED, 2, exact_up_to=16)


def uses(*users: tuple[str, float]) -> list[Fact]:
    """By person how many days ago."""
    return [fact("used", NOW - age * DAY, user_id=user) for user, age in users]


def test_everybody_counts_once_by_their_latest_use() -> None:
    assert number_of(
        ActiveUsers(USED, 2), uses(("ann", 0), ("ann", 1), ("bob", 2), ("cy", 4))
    ) == pytest.approx(1.75)
    assert number_of(ActiveUsers(USED, 2), uses(("ann", 0)), NOW + 2 * DAY) == pytest.approx(0.5)
    assert number_of(ActiveUsers(USED, 2), []) is None


many = st.lists(
    st.tuples(st.integers(0, 60).map(str), st.floats(0, 20) | st.integers(0, 3)), max_size=90
).map(lambda found: uses(*found))


@thorough
@given(many, st.randoms(use_true_random=False), st.lists(st.integers(0, 2), min_size=90, max_size=90))
def test_any_order_and_any_split_give_the_same_sample_also_beyond_the_limit(
    facts: list[Fact], random: Any, split: list[int]
) -> None:
    shuffled = random.sample(facts, len(facts))
    parts = [
        folded(SMALL, [each for each, at in zip(shuffled, split, strict=False) if at == part])
        for part in range(3)
    ]
    merged = None
    for part in parts:
        if part is not None:
            merged = part if merged is None else SMALL.merge(merged, part)
    whole = folded(SMALL, facts)
    assert folded(SMALL, shuffled) == merged == whole
    people = {each.data["user_id"] for each in facts}
    assert whole is None or len(whole.users) == min(len(people), 16)
    if len(people) <= 16:
        assert number_of(SMALL, shuffled) == pytest.approx(reference.active_users(SMALL, facts, NOW))


def crowd(seed: int, people: int, spread: float) -> list[Fact]:
    """People last seen up to `spread` days ago, each with an age of their own."""
    return uses(*((f"{seed}-{at}", spread * ((at * 0.618034) % 1.0)) for at in range(people)))


@pytest.mark.parametrize("spread", [0.0, 12.0])
@pytest.mark.parametrize("people", [65, 96, 200])
def test_the_error_of_the_estimate_is_as_stated(people: int, spread: float) -> None:
    signal, errors = ActiveUsers(USED, 2, exact_up_to=64), []
    for seed in range(200):
        facts = crowd(seed, people, spread)
        exact, estimate = reference.active_users(signal, facts, NOW), number_of(signal, facts)
        assert exact is not None
        assert estimate is not None
        errors.append(estimate / exact - 1.0)
    stated = 1 / sqrt(64 - 2)
    assert sqrt(sum(each**2 for each in errors) / len(errors)) <= 1.15 * stated
    assert abs(sum(errors) / len(errors)) <= 3 * stated / sqrt(len(errors))


def test_one_more_than_the_limit_is_no_leap() -> None:
    signal = ActiveUsers(USED, 14)
    assert number_of(signal, crowd(0, 512, 0)) == pytest.approx(512)
    assert number_of(signal, crowd(0, 513, 0)) == pytest.approx(513, rel=0.02)
    assert number_of(signal, crowd(0, 3_000, 0)) == pytest.approx(3_000, rel=2 / sqrt(510))


def test_an_estimate_fades_like_the_number_it_stands_for() -> None:
    facts = crowd(1, 100, 5)
    now, later = number_of(SMALL, facts), number_of(SMALL, facts, NOW + 6 * DAY)
    assert now is not None
    assert later == pytest.approx(now / 8)


@pytest.mark.parametrize("age", [0.0, 4_000.0])
def test_ages_of_thousands_of_half_lives_are_nothing_and_do_no_harm(age: float) -> None:
    signal = ActiveUsers(USED, 0.01, exact_up_to=16)
    ancient = [(f"old{at}", 4_000.0 + at) for at in range(30)]
    found = number_of(signal, uses(("ann", age), *ancient))
    assert found == pytest.approx(exp2(-age / 0.01))
