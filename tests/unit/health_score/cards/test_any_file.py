"""Whatever somebody sends as a scorecard: it is read, or refused with mistakes that lie within the text. Nothing else happens."""

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.cards.test_scorecard_file import EVERY_KIND
from tests.unit.health_score.domain.examples import thorough

from health_score.adapters.conditions import compile_condition
from health_score.application.scorecard_file import ScorecardError, load_scorecard, plain_data
from health_score.application.scorecard_places import Mistake

DATA = plain_data(EVERY_KIND)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["score", "count"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, inner in inside for each in places(inner, (*path, key)))]


SLIPS = st.sampled_from(["{", "]", ": ", "\t", "- ", "&a", "!!"])
PLACES = [each for each in places(DATA) if each]


def put(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The sample with another value at a place."""
    told = deepcopy(DATA)
    inside: Any = told
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return told


def mistakes(text: str, as_json: bool) -> Sequence[Mistake]:
    try:
        load_scorecard(text, compile_condition=compile_condition, json=as_json)
    except ScorecardError as refused:
        return refused.mistakes or [Mistake("", 0, 0, "")]
    return ()


def read(text: str, *, as_json: bool = False) -> None:
    lines = text.splitlines()
    for each in mistakes(text, as_json):
        assert 1 <= each.line <= len(lines) + 1
        assert each.column >= 1
        assert each.message
        assert each.path == "" or each.path.startswith("/")


@thorough
@given(st.sampled_from(PLACES), anything)
def test_any_value_at_any_place(path: tuple[Any, ...], value: Any) -> None:
    told = put(path, value)
    read(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))
    read(json.dumps(told), as_json=True)


@thorough
@given(st.integers(0, len(EVERY_KIND)), st.integers(0, 30), st.text(max_size=8) | SLIPS)
def test_any_slip_of_the_pen(at: int, lost: int, typed: str) -> None:
    read(EVERY_KIND[:at] + typed + EVERY_KIND[at + lost :])


@thorough
@given(st.text())
def test_any_text(text: str) -> None:
    read(text)
    read(text, as_json=True)
