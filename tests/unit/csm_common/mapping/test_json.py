"""What the language says of JSON: paths, amounts in cents, the rest of an object, and sentences that name the member."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from csm_common.mapping.columns import JsonColumns
from csm_common.mapping.conversions import Times
from csm_common.mapping.facts import compile_fact
from csm_common.mapping.language import Fact, ValueSpec
from csm_common.mapping.mistakes import mistakes
from csm_common.mapping.rejection import RejectedRowError
from csm_common.mapping.values import compile_value


def read(row: dict[str, Any], value: Any, kind: str = "keep") -> Any:
    described = TypeAdapter(ValueSpec).validate_python(value)
    return compile_value(described, JsonColumns(), kind=kind, times=Times())(row)


def refusal(row: dict[str, Any], value: Any, kind: str = "keep") -> RejectedRowError:
    with pytest.raises(RejectedRowError) as told:
        read(row, value, kind)
    return told.value


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a.b": None, "a": {"b": 2}}, "a.b", 2),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
        ({"a": [{"b": 1}]}, "a.1.b", None),
        ({"a": [1]}, "a.b", None),
        ({"a": "text"}, "a.b", None),
        ({"a": None}, "a.b", None),
        ({"a": {"b": ""}}, "a.b", None),
        ({}, "a.b", None),
    ],
)
def test_a_column_may_be_a_path(row: dict[str, Any], column: str, expected: object) -> None:
    assert read(row, column) == expected


@pytest.mark.parametrize(
    ("cents", "amount"), [(1999, 19.99), ("250", 2.5), (0, 0.0), (-105, -1.05), (None, None)]
)
def test_cents_become_units_exactly(cents: object, amount: float | None) -> None:
    assert read({"cents": cents}, {"column": "cents", "times": 0.01}) == amount


def test_what_is_multiplied_must_be_a_number_and_stay_one() -> None:
    assert refusal({"a": "many"}, {"column": "a", "times": 2}).message == "a is 'many', expected a number"
    assert refusal({"a": 1e308}, {"column": "a", "times": 1000}).code == "not_a_number"


def test_bounds_hold_for_the_product() -> None:
    assert refusal({"a": 300}, {"column": "a", "times": 0.01, "max": 2}).code == "out_of_range"


def test_epoch_seconds_are_a_time() -> None:
    found = read({"at": 1_700_000_000}, {"column": "at", "formats": "epoch_s"}, kind="moment")
    assert found.isoformat() == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize(
    ("traits", "rest"),
    [
        ({"plan": "x", "industry": "y", "none": None}, {"industry": "y"}),
        ({"plan": "x"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_rest_of_an_object(traits: object, rest: object) -> None:
    assert read({"traits": traits}, {"column": "traits", "except": ["plan"]}) == rest


def test_only_an_object_has_a_rest() -> None:
    told = refusal({"traits": [1]}, {"column": "traits", "except": "plan"})
    assert (told.code, told.message) == ("not_an_object", "traits is [1], expected an object")


def test_a_sentence_names_the_column_that_was_found() -> None:
    assert refusal({"b": "lots"}, ["a", "b"], "number").message == "b is 'lots', expected a number"
    assert refusal({}, {"column": ["a", "b"], "required": True}).message == "a, b is missing"


def test_a_table_leaves_what_is_missing_missing() -> None:
    table = {"column": "a", "map": {"1": "low"}}
    assert read({"a": None}, table) is None
    assert read({"a": 1}, table) == "low"


def test_parts_of_a_text_must_be_texts() -> None:
    assert refusal({"a": "x", "b": []}, {"join": ["a", "b"]}).code == "not_a_text"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"column": "a", "except": "b", "as": "text"}, "except takes members out of the object"),
        ({"join": ["a"], "except": "b"}, "except takes members out of the object"),
        ({"column": "a", "times": 2, "as": "int"}, "min, max and times are for numbers"),
        ({"const": 1, "times": 2}, "min, max and times are for numbers"),
        ({"column": "a", "times": float("inf")}, "finite"),
    ],
)
def test_combinations_without_a_meaning_are_mistakes(value: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as told:
        TypeAdapter(ValueSpec).validate_python(value)
    assert sentence in mistakes(told.value)


def test_a_fact_of_an_object() -> None:
    fact = Fact.model_validate(
        {
            "type": "csm.account.changed",
            "when": {"type": "group"},
            "data": {"plan": "traits.plan.name", "attributes.industry": "traits.industry"},
        }
    )
    compiled = compile_fact(fact, JsonColumns(), Times())
    row = {"type": "group", "traits": {"plan": {"name": "pro"}, "industry": "steel"}}
    assert compiled.when is not None
    assert compiled.when(row)
    assert compiled.data(row) == {"plan": "pro", "attributes": {"industry": "steel"}}


def test_a_field_cannot_be_given_whole_and_in_parts() -> None:
    with pytest.raises(ValidationError, match=r"attributes and attributes\.a cannot both be given"):
        Fact.model_validate({"type": "x", "data": {"attributes": "b", "attributes.a": "a"}})
