"""Cursors: what was packed comes back, and nothing made up gets through."""

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from csm_common.errors import InvalidError
from csm_common.web.pages import decode_cursor, encode_cursor


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_is_the_key_it_was_made_of(name: str, number: int) -> None:
    cursor = encode_cursor(name, number)
    assert cursor.isascii()
    assert not set("+/=&? ") & set(cursor)
    assert decode_cursor(cursor, tuple[str, int]) == (name, number)


def test_instants_survive() -> None:
    assert decode_cursor(encode_cursor(START, "a"), tuple[datetime, str]) == (START, "a")


@pytest.mark.parametrize(
    "made_up", ["", "x", "%%%", "é", "bm90IGpzb24", encode_cursor("a"), encode_cursor(1, "a")]
)
def test_a_cursor_somebody_made_up_is_refused(made_up: str) -> None:
    with pytest.raises(InvalidError, match="cursor"):
        decode_cursor(made_up, tuple[str, int])


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    with suppress(InvalidError):
        decode_cursor(text, tuple[str, int])
