"""The word for whose accounts a caller may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csm_common.errors import InvalidError
from csm_common.web.rows import ALL_ROWS, Rows, parse_rows

NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=200).filter(str.strip)


@given(st.builds(Rows, team=NAMES) | st.builds(Rows, owner=NAMES))
def test_a_word_is_read_back(rows: Rows) -> None:
    assert parse_rows(rows.word()) == rows
    assert rows.limited


def test_all_is_no_limit() -> None:
    assert parse_rows("all") is ALL_ROWS
    assert (ALL_ROWS.word(), ALL_ROWS.limited) == ("all", False)


@pytest.mark.parametrize(
    "word", ["", "ALL", "team", "team:", "owner: ", "plan:x", "team:\0", "team:" + "x" * 201]
)
def test_anything_else_is_refused(word: str) -> None:
    with pytest.raises(InvalidError, match="none of all, team:NAME, owner:ID"):
        parse_rows(word)
