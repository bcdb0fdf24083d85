"""Fields of accounts and cells of tables, whatever is in them."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.health_score import plain_scorecard

from csm_common.errors import InvalidError
from health_score.application.account_csv import cell, header, lines
from health_score.application.account_fields import Field, read_fields, selected
from health_score.domain.compiled import compile_card

CARDS = [compile_card(plain_scorecard())]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def test_nothing_told_is_all_and_the_id_is_always_among_what_is() -> None:
    assert read_fields(None, CARDS) == ()
    assert read_fields(" score, attributes.a.b ,score", CARDS) == (
        Field("account_id"),
        Field("score"),
        Field("attributes", "a.b"),
    )
    with pytest.raises(InvalidError, match="'health'"):
        read_fields("score,health", CARDS)


def test_what_is_chosen_stays_where_it_was() -> None:
    account = {"account_id": "a", "score": 3.0, "attributes": {"x": 1, "y": 2}, "override": None}
    chosen = (
        Field("account_id"),
        Field("attributes", "y"),
        Field("attributes", "z"),
        Field("override", "by"),
    )
    assert selected(account, chosen) == {
        "account_id": "a",
        "attributes": {"y": 2, "z": None},
        "override": {"by": None},
    }
    both = (Field("attributes", "y"), Field("attributes"))
    assert selected(account, both) == {"attributes": {"x": 1, "y": 2}}


@given(st.text())
def test_no_text_is_a_formula_and_none_is_lost(value: str) -> None:
    found = cell(value)
    assert found in (value, f"'{value}")
    if found.startswith(FORMULAS):
        float(found)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        (-4.5, "-4.5"),
        (True, "true"),
        ("-4.5", "-4.5"),
        ("+49", "+49"),
        ("-1e5", "-1e5"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("=SUM(A1)", "'=SUM(A1)"),
        ("@x", "'@x"),
        ("-", "'-"),
        ("-1\n=2", "'-1\n=2"),
        ({"a": [1]}, '{"a":[1]}'),
    ],
)
def test_a_cell_is_told_so(value: Any, told: str) -> None:
    assert cell(value) == told


@given(st.lists(st.lists(st.text(alphabet=st.characters(codec="utf-8")), min_size=2, max_size=2)))
def test_lines_are_read_back_by_any_reader(rows: list[list[str]]) -> None:
    text = header([Field("account_id"), Field("attributes", "a,b")]) + lines(rows)
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["account_id", "attributes.a,b"], *([cell(each) for each in row] for row in rows)]
