"""The section `personal_data`: what it may say, and what it is refused for."""

from typing import Any

import pytest
from pydantic import ValidationError

from csm_common.errors import InvalidError
from ingest.application.personal import PersonalDataRules, personal_data

HASHING = {"salt_env": "SALT", "rules": [{"field": "email", "action": "hash"}]}


def test_without_a_section_the_defaults_hold() -> None:
    assert personal_data().apply("a", {"email": "e", "plan": "pro"}) == {"plan": "pro"}


def test_the_defaults_can_be_set_aside() -> None:
    data = {"email": "e", "note": "n"}
    settings = PersonalDataRules.model_validate(
        {"defaults": False, "rules": [{"field": "note", "action": "drop"}]}
    )
    assert personal_data(settings).apply("a", data) == {"email": "e"}


def test_a_hash_is_keyed_by_the_secret_in_the_environment() -> None:
    settings = PersonalDataRules.model_validate(HASHING)
    one, other = (
        personal_data(settings, {"SALT": secret * 16}).apply("a", {"email": "e"}) for secret in "xy"
    )
    assert one["email"] != other["email"]


@pytest.mark.parametrize("environment", [{}, {"SALT": ""}, {"SALT": "short"}])
def test_a_secret_that_is_none_is_refused_with_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidError, match=r"personal_data\.salt_env names SALT"):
        personal_data(PersonalDataRules.model_validate(HASHING), environment)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"rules": [{"field": "a", "action": "drop"}, {"field": "b", "action": "hash"}]}, r"rules\.1 hashes"),
        ({"rules": [{"field": "", "action": "drop"}]}, "pattern"),
        ({"rules": [{"field": "a..b", "action": "drop"}]}, "pattern"),
        ({"rules": [{"field": ".a", "action": "drop"}]}, "pattern"),
        ({"rules": [{"field": "a.", "action": "drop"}]}, "pattern"),
        ({"rules": [{"field": "a", "action": "mask"}]}, "'allow', 'hash' or 'drop'"),
        ({"rule": []}, "Extra inputs"),
        ({"rules": [{"field": "a", "action": "drop", "type": "x"}]}, "Extra inputs"),
    ],
)
def test_a_mistake_is_told_with_its_place(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PersonalDataRules.model_validate(section)
