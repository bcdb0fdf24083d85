"""Cursors: they come back as they went, and nobody can make one up that the database would choke on."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csm_common.errors import InvalidError
from csm_common.web.pages import encode_cursor
from health_score.application.account_query import AccountFilters, Sort
from health_score.application.walk import NUMBERS, Order, Place, digest, read_cursor, write_cursor

FILTERS = AccountFilters(band=["at_risk"], changed_days=7)
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"))
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "account_id": st.none(),
    "name": TEXTS | st.none(),
    "renewal_date": st.dates() | st.none(),
    **{name: st.floats(allow_nan=False, allow_infinity=False) | st.none() for name in NUMBERS},
}


@given(
    st.sampled_from(get_args(Sort)).flatmap(lambda sort: st.tuples(st.just(sort), KEYS[Order.of(sort).key])),
    TEXTS,
)
def test_a_cursor_comes_back_as_it_went(told: tuple[Sort, Any], account_id: str) -> None:
    sort, key = told
    place = Place(key, account_id, "765:770:766,768", datetime(2026, 3, 1, tzinfo=UTC))
    assert read_cursor(write_cursor(sort, FILTERS, place), sort, FILTERS) == place


@pytest.mark.parametrize(
    "members",
    [
        ("765:760:", None, 1.0, "a"),
        ("765:770:768,766", None, 1.0, "a"),
        ("765:770:770", None, 1.0, "a"),
        ("0:0:", None, 1.0, "a"),
        ("x", None, 1.0, "a"),
        (None, 1e300, 1.0, "a"),
        (None, None, "high", "a"),
        (None, None, 1.0, "\0"),
        (None, None, 1.0, 7),
        (None, None, [], "a"),
    ],
    ids=str,
)
def test_one_that_was_made_up_is_refused(members: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidError):
        read_cursor(encode_cursor("score", digest(FILTERS), *members), "score", FILTERS)


@pytest.mark.parametrize(("sort", "key"), [("renewal_date", "soon"), ("renewal_date", 7.0), ("name", 7.0)])
def test_a_key_of_another_kind_is_refused(sort: Sort, key: Any) -> None:
    with pytest.raises(InvalidError):
        read_cursor(encode_cursor(sort, digest(FILTERS), None, None, key, "a"), sort, FILTERS)


def test_a_day_is_a_day() -> None:
    cursor = write_cursor("renewal_date", FILTERS, Place(date(2026, 3, 1), "a"))
    assert read_cursor(cursor, "renewal_date", FILTERS).key == date(2026, 3, 1)
