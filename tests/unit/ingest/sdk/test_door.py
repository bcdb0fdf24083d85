"""SDK messages through the whole door on fakes: whose they are, what waits, what is parked, and that nothing counts twice."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.ingest.door import Door, open_door
from tests.unit.ingest.sdk.samples import call, capture

from csm_common.contracts.topics import CUSTOMER_EVENTS


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = open_door()
    async with door.client:
        yield door


async def send(door: Door, *calls: dict[str, Any], path: str = "/v1/batch") -> dict[str, Any]:
    """The counts of what became of a batch."""
    answer = await door.client.post(path, json={"batch": list(calls)})
    assert answer.status_code == 200, answer.text
    return {name: count for name, count in answer.json().items() if type(count) is int and name != "status"}


def facts(door: Door) -> list[dict[str, Any]]:
    """All facts on their way to the log, told by id; what was let go after waiting is in the outbox."""
    late = [each for each in door.store.tables.outbox.messages if each.topic == CUSTOMER_EVENTS.name]
    return [json.loads(each.value or b"") for each in (*door.facts, *late)]


def told(**counts: int) -> dict[str, int]:
    return {"accepted": 0, "duplicates": 0, "held": 0, "rejected": 0} | counts


async def test_three_bad_of_a_hundred_are_kept_with_reasons(door: Door) -> None:
    calls = [call(messageId=f"m-{n}", context={"groupId": "acme"}) for n in range(100)]
    calls[7]["event"] = ""
    calls[50] = call("group", messageId="m-50", groupId="acme", traits={"arr": "lots"})
    calls[99]["properties"] = {"text": "x" * 33_000}
    assert await send(door, *calls) == told(accepted=97, rejected=3)
    assert len(facts(door)) == 97
    assert {each.message_id: each.code for each in door.rejections} == {
        "m-7": "missing_value",
        "m-50": "not_a_number",
        "m-99": "event_too_large",
    }
    assert all(each.reason and each.source == "sdk/backend" for each in door.rejections)


async def test_events_wait_for_the_group_and_keep_their_times(door: Door) -> None:
    early = call(messageId="m-1", timestamp="2026-03-02T08:00:00Z")
    assert await send(door, early, call(messageId="m-2")) == told(held=2)
    assert facts(door) == []
    assert await send(door, call("group", messageId="m-3", groupId="acme")) == told(accepted=1)
    found = {each["id"]: each for each in facts(door)}
    assert {each["subject"] for each in found.values()} == {"acme"}
    assert sorted(found) == ["m-1", "m-2", "m-3"]
    assert found["m-1"]["time"] == "2026-03-02T08:00:00Z"
    assert await send(door, early) == told(accepted=1)
    assert len({each["id"] for each in facts(door)}) == 3


async def test_after_the_group_events_are_the_accounts(door: Door) -> None:
    await send(door, call("group", messageId="m-1", groupId="acme"))
    assert await send(door, call(messageId="m-2")) == told(accepted=1)
    assert facts(door)[-1]["subject"] == "acme"


async def test_before_and_after_the_login_it_is_one_person(door: Door) -> None:
    await send(door, call(messageId="m-1", userId=None, anonymousId="a-1"))
    await send(
        door, call("identify", messageId="m-2", anonymousId="a-1", traits={"email": "kim@acme.example"})
    )
    await send(door, call("group", messageId="m-3", groupId="acme"))
    used = [each["data"] for each in facts(door) if each["type"] == "csm.usage.recorded"]
    assert [each["user_id"] for each in used] == ["u-1"]
    assert b"kim@acme.example" not in json.dumps(facts(door)).encode()
    assert [b"kim@acme.example" in (each.value or b"") for each in door.contacts] == [True]


async def test_an_alias_joins_two_persons_and_doubles_nothing(door: Door) -> None:
    await send(door, call("group", messageId="m-1", userId="old", groupId="acme"))
    await send(door, call(messageId="m-2", userId="old"), call(messageId="m-3", userId="new"))
    await send(door, call("alias", messageId="m-4", userId="new", previousId="old"))
    found = facts(door)
    assert sorted(each["id"] for each in found) == ["m-1", "m-2", "m-3"]
    assert {each["subject"] for each in found} == {"acme"}


async def test_a_message_sent_twice_is_a_duplicate(door: Door) -> None:
    one = call(context={"groupId": "acme"})
    assert await send(door, one, one) == told(accepted=1, duplicates=1)
    assert await send(door, one | {"sentAt": "2026-03-02T09:00:03Z"}) == told(duplicates=1)


async def test_a_known_id_with_another_body_is_a_visible_conflict(door: Door) -> None:
    await send(door, call(context={"groupId": "acme"}))
    assert await send(door, call(event="Other", context={"groupId": "acme"})) == told(rejected=1)
    assert [each.code for each in door.rejections] == ["conflicting_id"]


async def test_what_is_ignored_counts_as_accepted() -> None:
    door = open_door(configuration={"sdk": {"ignore": [{"event": "Heartbeat"}]}})
    async with door.client:
        assert await send(door, call(event="Heartbeat")) == told(accepted=1)
    assert (facts(door), door.rejections) == ([], [])


async def test_posthogs_groups_put_the_user_into_the_account(door: Door) -> None:
    waits = capture("early", uuid="m-1")
    assert await send(door, waits, path="/batch/") == told(held=1)
    assert await send(
        door, capture("x", {"$groups": {"company": "acme"}}, uuid="m-2"), path="/batch/"
    ) == told(accepted=1)
    assert {each["id"]: each["subject"] for each in facts(door)} == {"m-1": "acme", "m-2": "acme"}


async def test_nothing_is_promised_while_the_brokers_are_away(door: Door) -> None:
    one = call(context={"groupId": "acme"})
    with door.brokers.losing(CUSTOMER_EVENTS.name):
        answer = await door.client.post("/v1/t", json=one)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert await send(door, one) == told(accepted=1)
    assert len(facts(door)) == 1
