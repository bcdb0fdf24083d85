"""Conditions of scorecards: what they say of an account, whatever of it they look at."""

import pytest

from health_score.adapters.conditions import compile_condition

ACME = {
    "segment": "smb",
    "name": "account x",
    "arr": 900.5,
    "seats": 4,
    "tags": ["a", "b"],
    "crm": {"tier": 1},
    "new": True,
}


@pytest.mark.parametrize(
    ("expression", "applies"),
    [
        ('account.segment == "smb"', True),
        ('account . segment=="smb" && account.arr < 1000.0', True),
        ("account.seats in [1, 4]", True),
        ("has(account.segment) && !has(account.region)", True),
        ('account["segment"] == "smb"', True),
        ('account.name == "account x"', True),
        ("size(account) == 7", True),
        ("account.size() == 7", True),
        ('account.exists(key, key == "arr")', True),
        ('account.tags.exists(each, each == "b")', True),
        ("account.crm.tier == 1", True),
        ("account.new", True),
        ("true", True),
        ('account.region == "EU"', False),
        ("account.segment > 3", False),
        ("account.arr", False),
        ('account.region == "EU" || account.segment == "smb"', True),
    ],
)
def test_an_account_meets_a_condition_or_does_not(expression: str, applies: bool) -> None:
    assert compile_condition(expression)(ACME) is applies


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("account.segment ==", "mismatched input .* at character 19 of it"),
        ("segment == 'smb'", "there is no variable segment"),
        ("1 + 1", "it gives 2, not true or false"),
        ("", "."),
        ("unknown(account)", "."),
    ],
)
def test_what_can_never_hold_is_refused(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_condition(expression)
