"""Conditions of subscriptions: mistakes are told with their place, and accounts that lack something do not meet them."""

from dataclasses import replace

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


@pytest.mark.parametrize("value", [1, True, 1.0, "1", None, [1]], ids=str)
def test_what_is_remembered_keeps_kinds_apart(value: object) -> None:
    fresh, used = stored_condition("account.x == 1"), stored_condition("account.x == 1")
    for other in (1, True, 1.0, "1", None, [1]):
        used(replace(ACME, attributes={"x": other}))
    used(replace(ACME, attributes={}))
    asked = replace(ACME, attributes={"x": value})
    assert used(asked) is fresh(asked)
    assert not used(replace(ACME, attributes={}))


def test_remembering_is_bounded() -> None:
    condition = stored_condition("account.arr > 5")
    assert all(condition(replace(ACME, attributes={"arr": each})) for each in range(6, 10_100))
    assert not condition(replace(ACME, attributes={"arr": 5}))
