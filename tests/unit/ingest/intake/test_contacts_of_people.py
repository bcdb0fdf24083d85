"""What SDKs tell of people goes onto the contacts' own topic, whole, and moves when two turn out to be one."""

from typing import Any

import msgspec
from tests.unit.ingest.door import Door, event
from tests.unit.ingest.intake.product import facts, restarted, send
from tests.unit.ingest.sdk.samples import call

from csm_common.contracts.contacts import contact_key

GROUP = call("group", messageId="g-1", userId="old", groupId="acme")
TOLD = call("identify", messageId="i-1", userId="old", traits={"email": "kim@acme.example"})


def records(door: Door) -> list[tuple[bytes | None, dict[str, Any] | None]]:
    """Keys and contents of what was published of contacts, in order; None is a tombstone."""
    return [
        (each.key, msgspec.json.decode(each.value)["data"] if each.value else None) for each in door.contacts
    ]


def known(door: Door) -> dict[bytes | None, dict[str, Any]]:
    """What a reader of the compacted topic knows at its end."""
    return {key: told for key, told in dict(records(door)).items() if told is not None}


async def test_what_is_told_one_by_one_is_one_record(door: Door) -> None:
    later = call("identify", messageId="i-2", userId="old", traits={"phone": "+1 555"})
    await send(door, GROUP, TOLD)

    await send(door, later)

    (contact,) = known(door).values()
    assert (contact["email"], contact["phone"]) == ("kim@acme.example", "+1 555")
    assert not any(b"kim@acme" in (each.value or b"") for each in door.facts)


async def test_what_waited_is_told_of_when_it_is_let_go(door: Door) -> None:
    await send(door, TOLD)
    assert records(door) == []

    await send(door, GROUP)

    assert [told["email"] for told in known(door).values()] == ["kim@acme.example"]


async def test_an_alias_moves_the_whole_record_and_ends_the_old_one(door: Door) -> None:
    new = call("identify", messageId="i-2", userId="new", traits={"phone": "+1 555"})
    await send(door, GROUP, TOLD, new | {"context": {"groupId": "acme"}})

    await send(door, call("alias", messageId="a-1", userId="new", previousId="old"))

    assert records(door)[-1] == (contact_key("acme", "old"), None)
    (whole,) = known(door).items()
    assert whole[0] == contact_key("acme", "new")
    assert (whole[1]["email"], whole[1]["phone"]) == ("kim@acme.example", "+1 555")


async def test_a_call_sent_again_after_the_alias_brings_nobody_back(door: Door) -> None:
    await send(door, GROUP, TOLD)
    await send(door, call("alias", messageId="a-1", userId="new", previousId="old"))

    assert await send(restarted(door), TOLD) == {"accepted": 1}

    assert list(known(door)) == [contact_key("acme", "new")]
    assert list(door.store.tables.contacts.known) == [("acme", "new")]
    assert [each["data"]["contact_id"] for each in facts(door) if each["id"] == "i-1"] == ["old", "old"]


async def test_what_is_told_under_the_old_name_afterwards_is_the_new_ones(door: Door) -> None:
    await send(door, GROUP, TOLD, call("alias", messageId="a-1", userId="new", previousId="old"))

    await send(door, call("identify", messageId="i-2", userId="old", traits={"email": "kim@new.example"}))

    assert {key: told["email"] for key, told in known(door).items()} == {
        contact_key("acme", "new"): "kim@new.example"
    }


async def test_contact_facts_of_cloud_events_are_recorded_before_they_are_answered(door: Door) -> None:
    fact = event(type="csm.contact.changed", data={"contact_id": "kim", "email": "kim@acme.example"})
    door.store.away = True
    assert (await door.post(fact)).status_code == 503
    assert (door.facts, records(door)) == ([], [])

    door.store.away = False
    assert (await door.post(fact)).status_code == 202
    assert list(known(door)) == [contact_key("acme", "kim")]
