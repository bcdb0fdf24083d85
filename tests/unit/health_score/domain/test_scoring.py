"""From raw values to the score: points, weights, what is missing, and what it all rests on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import NOW, account, card, fact, measure, model_of, thorough

from health_score.domain.assessment import Assessment
from health_score.domain.balance import balance
from health_score.domain.compiled import CompiledCard
from health_score.domain.look import assess
from health_score.domain.scorecard import Dimension, Measure, Target
from health_score.domain.signals import Latest, Selector


def said(name: str, weight: float, *, curve: bool = True) -> Measure:
    """A measure whose points are the number said last in a fact of its own name."""
    built = measure(name, Latest(Selector((name,), value="number")), weight)
    return built if curve else Measure(name, weight, built.signal, None)


CARD = card(
    Dimension("adoption", 2, (said("visits", 3), said("seats", 1))),
    Dimension("support", 1, (said("tickets", 1), said("renewal", 0, curve=False))),
    Dimension("relation", 1, (said("mood", 1),)),
)


def judged(card: CompiledCard = CARD, **numbers: float) -> Assessment:
    facts = [fact(name, number=number) for name, number in numbers.items()]
    return assess(card, account(model_of(card), facts), NOW)


def test_everything_known_is_the_weighted_mean_of_the_weighted_means() -> None:
    found = judged(visits=80, seats=40, tickets=60, mood=100)
    assert found.dimensions == {"adoption": 70.0, "support": 60.0, "relation": 100.0}
    assert found.score == (2 * 70 + 60 + 100) / 4
    assert (found.band, found.coverage, found.computed) == ("healthy", 1.0, found.score)
    assert found.parts == {"visits": 30.0, "seats": 5.0, "tickets": 15.0, "mood": 25.0, "renewal": None}


def test_a_missing_measure_leaves_its_weight_to_its_dimension() -> None:
    found = judged(seats=40, tickets=60, mood=100)
    assert found.dimensions["adoption"] == 40.0
    assert found.score == (2 * 40 + 60 + 100) / 4
    assert found.coverage == pytest.approx((2 * 0.25 + 1 + 1) / 4)


def test_an_empty_dimension_leaves_its_weight_to_the_others() -> None:
    found = judged(tickets=60, mood=100)
    assert found.dimensions == {"adoption": None, "support": 60.0, "relation": 100.0}
    assert (found.score, found.coverage) == (80.0, 0.5)


def test_nothing_known_is_no_score_and_no_band() -> None:
    found = judged()
    assert (found.score, found.band, found.coverage) == (None, None, 0.0)
    assert set(found.dimensions.values()) == set(found.parts.values()) == {None}


def test_a_measure_of_no_weight_is_watched_and_does_not_count() -> None:
    found = judged(renewal=30)
    assert found.values["renewal"] == 30.0
    assert found.points["renewal"] is None
    assert (found.score, found.coverage) == (None, 0.0)


def test_a_score_that_is_50_by_pencil_is_50() -> None:
    sevenths = card(Dimension("all", 0.7, (said("a", 0.1), said("b", 0.2), said("c", 0.4))))
    assert judged(sevenths, a=50, b=50, c=50).score == 50.0


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("score", 80.0),
        ("coverage", 0.5),
        ("dimension:support", 60.0),
        ("dimension:adoption", None),
        ("measure:mood", 100.0),
    ],
)
def test_a_target_is_read_from_the_assessment(target: str, number: float | None) -> None:
    assert judged(tickets=60, mood=100).of(Target.parse(target)) == number


def test_a_target_that_another_card_did_not_have_is_unknown() -> None:
    assert judged(mood=1).of(Target("measure", "new")) is None


names = ["visits", "seats", "tickets", "mood"]


@thorough
@given(st.dictionaries(st.sampled_from(names), st.floats(0, 100)))
def test_parts_sum_to_the_score_and_shares_to_one(numbers: dict[str, float]) -> None:
    found = judged(CARD, **numbers)
    parts = [each for each in found.parts.values() if each is not None]
    assert (sum(parts) if parts else None) == (
        None if found.score is None else pytest.approx(found.score, abs=1e-5)
    )
    shares = balance(CARD.card, numbers)
    assert sum(shares.whole.values()) == pytest.approx(1.0 if numbers else 0.0)
    assert found.score is None or min(numbers.values()) - 1e-6 <= found.score <= max(numbers.values()) + 1e-6


@thorough
@given(st.sets(st.sampled_from(names)), st.sampled_from(names))
def test_coverage_grows_with_what_is_known(known: set[str], one_more: str) -> None:
    before, after = balance(CARD.card, known).coverage, balance(CARD.card, known | {one_more}).coverage
    assert 0.0 <= before <= after <= 1.0
    assert (before < after) is (one_more not in known)
