"""Filters as they are asked for: what goes together, what does not, and what they come to."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from csm_common.web.rows import ALL_ROWS, Rows
from health_score.adapters.account_filters import joins, where
from health_score.application.account_query import AccountFilters
from health_score.application.walk import digest

NOW = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"bands": ["x"]}, "there is no 'bands'"),
        ({"change_max": -1}, "need changed_days"),
        ({"renewal_within_days": 0, "renewal_to": "2026-01-01"}, "either renewal_within_days"),
        ({"attribute": [":x"]}, "attribute"),
        ({"score_min": float("nan")}, "score_min"),
    ],
    ids=str,
)
def test_a_mistake_is_told(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AccountFilters.model_validate(told)


def test_renewals_count_from_today() -> None:
    assert AccountFilters().renewals(NOW) == (None, None)
    assert AccountFilters(renewal_within_days=30).renewals(NOW) == (date(2026, 1, 1), date(2026, 1, 31))
    assert AccountFilters(renewal_from=date(2026, 5, 1)).renewals(NOW) == (date(2026, 5, 1), None)


def test_a_change_is_counted_from_an_instant() -> None:
    assert AccountFilters().compared_with(NOW) is None
    assert AccountFilters(changed_days=0.5).compared_with(NOW) == datetime(2026, 1, 1, 11, 30, tzinfo=UTC)


def test_filters_have_one_name_however_the_rest_is_asked() -> None:
    class More(AccountFilters):
        limit: int = 1

    asked = More(band=["a"], limit=5)
    assert AccountFilters.within(asked) == AccountFilters(band=["a"])
    assert digest(AccountFilters.within(asked)) == digest(AccountFilters(band=["a"]))
    assert digest(AccountFilters(band=["a"])) != digest(AccountFilters(band=["b"]))


def test_what_is_asked_for_never_enters_the_statement() -> None:
    evil = "x'; DROP TABLE accounts; --"
    filters = AccountFilters(
        band=[evil],
        scorecard=[evil],
        owner=[evil],
        team=[evil],
        segment=[evil],
        plan=[evil],
        attribute=[f"{evil}:{evil}"],
        has=[evil],
        missing=[evil],
        q=evil,
    )
    for rows in (Rows(team=evil), Rows(owner=evil), ALL_ROWS):
        condition, parameters = where(filters, rows, NOW)
        assert "DROP" not in condition + joins(filters)
        assert sum("DROP" in str(each) for each in parameters.values()) >= 10
