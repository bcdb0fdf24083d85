"""Personal details leave a fact at the door and go to the contacts' topic alone."""

import json
from typing import Any

import msgspec
import pytest
from tests.unit.ingest.door import Door, event, refusal

from csm_common.contracts.contacts import PERSONAL_FIELDS, ContactRecorded
from csm_common.contracts.envelope import Envelope

PERSON = {
    "name": "Kim Sommer",
    "email": "kim@acme.example",
    "phone": "+49 30 1234567",
    "chat_handle": "@kim",
    "timezone": "Europe/Berlin",
    "locale": "de",
}
REST = {
    "contact_id": "c-17",
    "role": "champion",
    "active": True,
    "consents": {"product_news": True},
}
UNKNOWN = {"mobile": "+49 170 1", "floor": 3, "manager": {"name": "Lee"}}


def contact(**data: Any) -> dict[str, Any]:
    """A contact event with this data."""
    return event(type="csm.contact.changed", data=data)


async def test_personal_details_go_to_the_contacts_alone(door: Door) -> None:
    assert (await door.post(contact(**PERSON, **REST, **UNKNOWN))).status_code == 202

    (fact,), (record,) = door.facts, door.contacts
    assert json.loads(fact.value or b"") == contact(**REST)
    assert not any(str(detail).encode() in (fact.value or b"") for detail in PERSON.values())
    assert (fact.key, record.key) == (b"acme", b"acme/c-17")


async def test_every_personal_field_of_the_contract_is_tested() -> None:
    assert set(PERSON) == set(PERSONAL_FIELDS)


async def test_a_contact_is_recorded_whole_however_it_was_told(door: Door) -> None:
    await door.post(contact(**REST))
    await door.post(contact(**PERSON, contact_id="c-17") | {"id": "e-2", "time": "2026-03-02T08:59:30Z"})

    first, recorded = (msgspec.json.decode(each.value or b"", type=Envelope) for each in door.contacts)
    assert first.id != recorded.id
    assert (recorded.type, recorded.subject) == ("csm.contact.recorded", "acme")
    assert recorded.time.isoformat() == "2026-03-02T08:59:30+00:00"
    expected = ContactRecorded(account_id="acme", as_of=recorded.time, **PERSON, **REST)  # type: ignore[arg-type]
    assert msgspec.convert(recorded.data, ContactRecorded) == expected


async def test_the_same_again_is_the_same_record(door: Door) -> None:
    for id_ in ("e-1", "e-2"):
        await door.post(contact(**REST) | {"id": id_})

    first, again = door.contacts
    assert first == again


async def test_without_personal_details_the_fact_goes_on_as_it_came(door: Door) -> None:
    body = json.dumps(contact(**REST), indent=1).encode()

    assert (await door.post(body)).status_code == 202

    assert door.facts[0].value == body
    assert len(door.contacts) == 1


async def test_the_time_of_receipt_is_that_of_both_records(door: Door) -> None:
    await door.post(contact(**REST) | {"time": None})

    times = {msgspec.json.decode(each.value or b"")["time"] for each in (*door.facts, *door.contacts)}
    assert times == {"2026-03-02T09:00:00Z"}


async def test_the_account_is_the_subject_whatever_the_data_says(door: Door) -> None:
    await door.post(contact(**REST, account_id="globex"))

    assert msgspec.json.decode(door.contacts[0].value or b"")["data"]["account_id"] == "acme"
    assert door.contacts[0].key == b"acme/c-17"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"contact_id": 17},
        {"contact_id": ""},
        {"contact_id": "a/b"},
        {"contact_id": "x" * 201},
        {"contact_id": "c-1", "email": 5},
        {"contact_id": "c-1", "name": ["Kim"]},
        {"contact_id": "c-1", "consents": {"product_news": "yes"}},
        {"contact_id": "c-1", "active": "yes"},
        {"contact_id": "c\0"},
        {"contact_id": "c-1", "name": "Kim\0"},
        {"contact_id": "c-1", "consents": {"news\0": True}},
    ],
)
async def test_contacts_keep_their_contract(door: Door, data: dict[str, Any]) -> None:
    assert refusal(await door.post(contact(**data))) == (400, "invalid_data")
    assert not door.facts
    assert not door.contacts


async def test_a_batch_may_hold_contacts_and_facts(door: Door) -> None:
    response = await door.post([contact(**PERSON, **REST), event(id="e-2")])

    assert (response.status_code, response.json()["accepted"]) == (202, 2)
    assert (len(door.facts), len(door.contacts)) == (2, 1)
