"""Conditions of subscriptions: mistakes are told with their place, and accounts that lack something do not meet them."""

import pytest

from csm_common.errors import InvalidError
from notifier.adapters.feed.conditions import check_condition, stored_condition
from notifier.domain.subscriptions import Standing

ACME = Standing(
    account_id="acme",
    score=42.0,
    band="at_risk",
    coverage=0.8,
    attributes={"arr": 120_000, "segment": "enterprise"},
)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("account.arr >= 100000", True),
        ("account.segment == 'smb' || score < 50.0", True),
        ("band in ['critical', 'at_risk'] && coverage > 0.5", True),
        ("account.region == 'emea'", False),
        ("account.segment > 5", False),
    ],
)
def test_a_condition_is_asked_of_the_account(expression: str, holds: bool) -> None:
    check_condition(expression)
    assert stored_condition(expression)(ACME) is holds


@pytest.mark.parametrize(
    ("expression", "character"),
    [
        ("account.arr >", 14),
        ("score < 50.0 && segment == 'smb'", 17),
        ("score < 50.0 && near('x')", 17),
        ("1 + 1", 1),
    ],
)
def test_a_mistake_is_told_with_its_place(expression: str, character: int) -> None:
    with pytest.raises(InvalidError) as refused:
        check_condition(expression)
    (mistake,) = refused.value.extra["errors"]
    assert (mistake["at"], mistake["character"]) == ("filters.where", character)


def test_an_expression_that_this_build_cannot_read_holds_for_nobody() -> None:
    assert not stored_condition("account.arr >")(ACME)
