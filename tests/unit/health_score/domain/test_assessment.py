"""The assessment is what a pencil finds: curves, weights, what is missing, knock-outs, overrides and silent sources."""

from math import floor, isclose
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.health_score.domain.assessed import Assessed, assessed
from tests.unit.health_score.domain.cards import HORIZON, cards, facts_between, silences
from tests.unit.health_score.domain.examples import NOW, account, model_of, thorough

from health_score.domain.compiled import CompiledCard
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.silences import Silences

FAR = 1e9
"""What faded backwards to before its facts, or was divided by almost nothing: no longer told apart."""


def same(found: dict[str, float | None], meant: dict[str, float | None], near: float = 1e-4) -> bool:
    """Whether the same is known, and as good as the same number."""

    def alike(one: float | None, other: float | None) -> bool:
        if one is None or other is None:
            return one is other
        return isclose(one, other, rel_tol=1e-6, abs_tol=near)

    return found.keys() == meant.keys() and all(alike(found[name], meant[name]) for name in found)


def is_close_to_a_level(card: CompiledCard, meant: Assessed) -> bool:
    """Whether a rounding error could decide a knock-out or a band."""
    for gate in card.gates:
        number = (meant.dimensions if gate.target.kind == "dimension" else meant.values)[gate.target.name]
        if number is not None and abs(number - gate.knockout.level) < 1e-5:
            return True
    return meant.score is not None and any(0 < abs(meant.score - low) < 1e-5 for low in card.card.lows)


@thorough
@given(
    cards(),
    facts_between(-3 * HORIZON, HORIZON),
    silences,
    st.randoms(use_true_random=False),
    st.floats(0, HORIZON),
)
def test_any_card_says_what_a_pencil_finds(
    card: CompiledCard, facts: list[Fact], silences: Silences, random: Any, wait: float
) -> None:
    now = NOW + wait
    meant = assessed(card.card, facts, now, silences)
    assume(not any(abs(each or 0) > FAR for each in meant.values.values()))
    assume(not is_close_to_a_level(card, meant))
    found = assess(card, account(model_of(card), random.sample(facts, len(facts))), now, silences)
    assert same(found.values, meant.values, 2e-6), (found.values, meant.values)
    assert same(found.points, meant.points)
    assert same(found.dimensions, meant.dimensions)
    assert same(found.parts, meant.parts)
    assert same(
        {"computed": found.computed, "score": found.score}, {"computed": meant.computed, "score": meant.score}
    )
    assert found.coverage == pytest.approx(meant.coverage)
    assert (list(found.caps), found.overridden) == (meant.caps, meant.overridden)
    assert found.band == meant.band or found.score == pytest.approx(round(found.score or 0))
    assert {name for name in found.frozen if found.values[name] is not None} == meant.frozen


@thorough
@given(cards(), facts_between(-3 * HORIZON, HORIZON), st.floats(0, HORIZON))
def test_scores_are_in_millionths_and_parts_sum_to_the_computed_one(
    card: CompiledCard, facts: list[Fact], wait: float
) -> None:
    found = assess(card, account(model_of(card), facts), NOW + wait)
    for number in (found.computed, *found.dimensions.values()):
        assert number is None or number == floor(number * 1e6 + 0.5) / 1e6
        assert number is None or 0 <= number <= 100
    parts = [each for each in found.parts.values() if each is not None]
    assert (sum(parts) if parts else None) == pytest.approx(found.computed, abs=1e-6)
