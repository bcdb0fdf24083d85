"""The rules for personal data: what is dropped is nowhere left, what is allowed is untouched."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csm_common.contracts.contacts import PERSONAL_FIELDS
from ingest.application.contacts import CONTACT_CHANGED, contact_of
from ingest.application.personal import SHAPES, personal_data
from ingest.application.ports import ContactChange
from ingest.domain.personal import HASHED, PERSONAL, PersonalData, Rule, spellings

SECRET = b"a secret of some length"
DEFAULTS = personal_data()

names = st.sampled_from(["email", "firstName", "Phone-Number", "plan", "name", "items", "note", "ip"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["a", "é", ""]))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4))
)
datas = st.dictionaries(names, values, max_size=6)
rules = st.lists(
    st.builds(
        Rule,
        field=st.sampled_from(["email", "first_name", "plan", "note", "items.email", "items.note"]),
        action=st.sampled_from(["allow", "hash", "drop"]),
        types=st.sampled_from([(), ("a",), ("b",)]),
    ),
    max_size=4,
)


def found_names(value: Any) -> Iterator[str]:
    """Every name at any depth."""
    if isinstance(value, dict):
        yield from value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from found_names(each)


@given(datas)
def test_nothing_that_is_personal_by_its_name_is_left_at_any_depth(data: dict[str, Any]) -> None:
    dropped = {each for name in PERSONAL for each in spellings(name)}
    assert dropped.isdisjoint(found_names(DEFAULTS.apply("shop.order.placed", data)))


@given(datas, rules)
def test_applying_twice_is_applying_once(data: dict[str, Any], told: list[Rule]) -> None:
    personal = PersonalData(told, secret=SECRET)
    once = personal.apply("a", data)
    assert personal.apply("a", once) == once


@given(datas)
def test_without_rules_nothing_is_touched(data: dict[str, Any]) -> None:
    assert PersonalData(defaults=()).apply("a", data) is data


@given(
    st.dictionaries(st.sampled_from(["plan", "name", "note"]), values.filter(lambda v: not [*found_names(v)]))
)
def test_data_that_holds_nothing_personal_is_the_very_same(data: dict[str, Any]) -> None:
    assert DEFAULTS.apply("shop.order.placed", data) is data


@given(datas, rules)
def test_the_sender_s_data_is_never_changed_in_place(data: dict[str, Any], told: list[Rule]) -> None:
    before = repr(data)
    PersonalData(told, secret=SECRET).apply("a", data)
    assert repr(data) == before


@pytest.mark.parametrize(
    "spelling", ["first_name", "firstName", "FirstName", "FIRST_NAME", "first-name", "First Name"]
)
def test_a_name_is_met_in_its_usual_spellings(spelling: str) -> None:
    assert DEFAULTS.apply("a.b", {"rows": [{"x": {spelling: "Kim", "plan": "pro"}}]}) == {
        "rows": [{"x": {"plan": "pro"}}]
    }


def test_a_hash_is_an_hmac_that_is_the_same_everywhere() -> None:
    personal = PersonalData([Rule(field="email", action="hash")], secret=SECRET)
    expected = HASHED + hmac.new(SECRET, b"kim@acme.example", hashlib.sha256).hexdigest()
    data = {"email": "kim@acme.example", "to": [{"Email": "kim@acme.example"}]}
    assert personal.apply("a", data) == {"email": expected, "to": [{"Email": expected}]}
    other = PersonalData([Rule(field="email", action="hash")], secret=b"other").apply("a", data)
    assert other["email"].startswith(HASHED)
    assert other["email"] != expected


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"b": 1, "a": 2}])
def test_whatever_is_hashed_its_value_is_gone_and_null_stays_null(value: object) -> None:
    personal = PersonalData([Rule(field="note", action="hash")], secret=SECRET)
    kept = personal.apply("a", {"note": value})["note"]
    assert kept is None if value is None else kept.startswith(HASHED)


def test_equal_objects_hash_alike_in_whatever_order_they_are_written() -> None:
    personal = PersonalData([Rule(field="note", action="hash")], secret=SECRET)
    assert personal.apply("a", {"note": {"b": 1, "a": 2}}) == personal.apply("a", {"note": {"a": 2, "b": 1}})


def test_a_rule_wins_over_the_defaults_a_path_over_a_name_and_a_type_over_none() -> None:
    told = [
        Rule(field="email", action="allow", types=("newsletter.sent",)),
        Rule(field="traits.phone", action="allow"),
        Rule(field="phone", action="drop"),
        Rule(field="plan", action="drop"),
        Rule(field="plan", action="allow"),
    ]
    personal = PersonalData(told)
    data = {"email": "e", "phone": "p", "traits": {"phone": "p", "email": "e"}, "plan": "pro"}
    assert personal.apply("newsletter.sent", data) == {
        "email": "e",
        "traits": {"phone": "p", "email": "e"},
        "plan": "pro",
    }
    assert personal.apply("other", data) == {"traits": {"phone": "p"}, "plan": "pro"}


def test_a_path_leads_through_lists() -> None:
    personal = PersonalData([Rule(field="seats.user.note", action="drop")])
    data = {"seats": [{"user": {"note": "n", "id": 1}}, {"user": [{"note": "n"}]}], "note": "stays"}
    assert personal.apply("a", data) == {"seats": [{"user": {"id": 1}}, {"user": [{}]}], "note": "stays"}


def test_nothing_hashes_without_a_secret() -> None:
    with pytest.raises(ValueError, match="no secret"):
        PersonalData([Rule(field="email", action="hash")])


PERSON = {"contact_id": "c-1", "role": "champion", "active": True, "consents": {"email": True}}


def test_of_a_contact_s_fact_the_contract_s_fields_are_left_and_nothing_else() -> None:
    details = {"email": "kim@acme.example", "name": "Kim", "mobile": "1", "company": "Acme", "locale": "de"}
    assert DEFAULTS.apply(CONTACT_CHANGED, PERSON | details) == PERSON
    assert DEFAULTS.apply(CONTACT_CHANGED, {"contact_id": "c-1"}) == {"contact_id": "c-1"}


def test_a_contact_s_fact_without_details_is_the_very_same() -> None:
    assert DEFAULTS.apply(CONTACT_CHANGED, PERSON) is PERSON


def test_what_a_rule_allows_of_a_contact_stays_on_its_fact_where_it_names_the_type() -> None:
    told = [
        Rule(field="company", action="allow", types=(CONTACT_CHANGED,)),
        Rule(field="email", action="hash", types=(CONTACT_CHANGED,)),
        Rule(field="phone", action="allow"),
    ]
    from_config = personal_data_of(told)
    kept = from_config.apply(
        CONTACT_CHANGED, PERSON | {"company": "Acme", "email": "e", "phone": "p", "x": 1}
    )
    assert kept["email"].startswith(HASHED)
    assert kept == PERSON | {"company": "Acme", "email": kept["email"]}


def personal_data_of(told: list[Rule]) -> PersonalData:
    """The rules over the contracts' shapes."""
    return PersonalData(told, secret=SECRET, shapes=SHAPES)


def test_fields_of_a_contract_that_hold_one_value_are_not_walked_and_those_that_nest_are() -> None:
    usage = {"feature": "login", "user_id": "u", "quantity": 1, "duration_s": 2.5, "succeeded": True}
    assert DEFAULTS.apply("csm.usage.recorded", usage) is usage
    account = {"name": "Acme", "attributes": {"industry": "law", "email": "office@acme.example"}}
    assert DEFAULTS.apply("csm.account.changed", account) == {
        "name": "Acme",
        "attributes": {"industry": "law"},
    }
    assert DEFAULTS.apply("csm.usage.recorded", usage | {"ip": "10.0.0.1"}) == usage


def test_what_rules_drop_is_wanted_nowhere_and_the_defaults_do_not_speak_of_it() -> None:
    told = [
        Rule(field="phone", action="drop"),
        Rule(field="chat_handle", action="drop", types=(CONTACT_CHANGED,)),
        Rule(field="locale", action="drop"),
        Rule(field="locale", action="allow", types=(CONTACT_CHANGED,)),
        Rule(field="email", action="hash"),
        Rule(field="name.first", action="drop"),
        Rule(field="timezone", action="drop", types=("other",)),
    ]
    unwanted = PersonalData(told, secret=SECRET).unwanted(CONTACT_CHANGED)
    assert {each for each in (*PERSONAL_FIELDS, "firstName") if each in unwanted} == {"phone", "chat_handle"}


def test_a_contact_is_recorded_without_what_is_unwanted() -> None:
    data = {"contact_id": "c-1", "phone": "1", "email": "e", "role": "user"}
    event = {"subject": "acme", "time": "2026-03-02T09:00:00Z", "data": data}
    change = contact_of(event, PersonalData([Rule(field="phone", action="drop")]).unwanted(CONTACT_CHANGED))
    assert isinstance(change, ContactChange)
    assert (change.contact.phone, change.contact.email, change.contact.role) == (None, "e", "user")
