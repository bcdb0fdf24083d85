"""Which facts count, and the fence behind which their numbers can be trusted."""

from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import fact, number_of, thorough

from health_score.domain.signals import (
    SIGNALS,
    ActiveUsers,
    AnyReader,
    Attainment,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)

USED = ("csm.usage.recorded",)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ({"quantity": 3}, 3.0),
        ({"quantity": 0.5}, 0.5),
        ({"quantity": True}, 1.0),
        ({}, 1.0),
        ({"quantity": None}, 1.0),
        ({"quantity": "3"}, None),
        ({"quantity": float("nan")}, None),
        ({"quantity": float("inf")}, None),
        ({"quantity": 10**400}, None),
        ({"quantity": [3]}, None),
    ],
)
def test_only_believable_numbers_are_read(data: dict[str, Any], number: float | None) -> None:
    assert Selector(USED, value="quantity", default=1.0).read(fact("csm.usage.recorded", **data)) == number


@pytest.mark.parametrize(
    ("data", "matches"),
    [
        ({"kind": "nps", "scale_max": 5}, True),
        ({"kind": "nps"}, True),
        ({"kind": "nps", "scale_max": 10}, False),
        ({"kind": "csat"}, False),
        ({}, False),
        ({"kind": ["nps"]}, False),
    ],
)
def test_every_condition_has_to_hold_and_none_stands_for_absent(data: dict[str, Any], matches: bool) -> None:
    select = Selector(("csm.survey.answered",), where={"kind": ("nps",), "scale_max": (None, 5)})
    assert select.matches(data) is matches


@pytest.mark.parametrize(
    ("status", "points"), [("paid", 100.0), ("failed", 0.0), ("lost", None), ({}, None), (7, None)]
)
def test_a_table_turns_words_into_numbers(status: Any, points: float | None) -> None:
    select = Selector(("csm.invoice.changed",), value="status", table={"paid": 100.0, "failed": 0.0})
    assert select.read(fact("csm.invoice.changed", status=status)) == points


def test_a_selector_without_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one event type"):
        Selector(())
    with pytest.raises(ValueError, match="name it with value"):
        Selector(USED, default=1.0)
    with pytest.raises(ValueError, match="default must be a number"):
        Selector(USED, value="x", default=float("inf"))
    with pytest.raises(ValueError, match="table must give a number"):
        Selector(USED, value="x", table={"a": float("nan")})


ALL_KINDS: list[AnyReader] = [
    Count(Selector(USED, where={"a": ("x",)}), 14),
    Sum(Selector(USED, value="a"), 14),
    Mean(Selector(USED, value="a"), 14),
    Trend(Selector(USED, value="a"), mature_days=1),
    ActiveUsers(Selector(USED), 14, item="a"),
    Recency(Selector(USED, where={"b": (1,)})),
    Latest(Selector(USED, value="a", table={"x": 1.0}), 90),
    Open(Selector(USED), "a", {"b": ("x", True)}, {"c": {"x": 2.0, 1: 3.0}}),
    Until(Selector(USED, value="a")),
    Attainment(Selector(USED), item="a"),
    Ratio(Sum(Selector(USED, value="a"), 14), Latest(Selector(USED, value="b"))),
    Ratio(Sum(Selector(USED, value="a"), 14), Mean(Selector(USED, value="b"), 14)),
    Ratio(Sum(Selector(USED, value="a"), 14), Sum(Selector(USED, value="b"), 7)),
]

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["x", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


def test_every_kind_of_signal_is_tried() -> None:
    assert {type(each) for each in ALL_KINDS} == set(SIGNALS.values())


goals = st.sampled_from(["target", "current", "baseline", "weight", "expected", "start", "due"])
garbage = st.dictionaries(st.sampled_from(["a", "b", "c", "attributes"]) | goals, json)


@thorough
@given(st.lists(garbage, max_size=4))
def test_no_signal_stumbles_over_garbage(datas: list[dict[str, Any]]) -> None:
    facts = [fact("csm.usage.recorded", 1e9 + hour * 3600, **data) for hour, data in enumerate(datas)]
    for signal in ALL_KINDS:
        number = number_of(signal, facts, 1e9 + 1e6)
        assert number is None or isfinite(number)
