"""Whatever is sent again, through whichever failure, ends as one fact in one account."""

from typing import Any

import httpx
import pytest
from tests.unit.ingest.door import Door, open_door, refusal
from tests.unit.ingest.intake.product import accounts, facts, listed, restarted, send
from tests.unit.ingest.sdk.samples import call

from csm_common.contracts.topics import CUSTOMER_EVENTS

GROUP = call("group", messageId="g-1", groupId="acme")
MOVE = call("group", messageId="g-2", groupId="globex", timestamp="2026-03-02T08:59:30Z")
TRACK = call(messageId="m-1")


async def post(door: Door, *calls: dict[str, Any]) -> httpx.Response:
    """The answer to a batch, whatever it is."""
    return await door.client.post("/v1/batch", json={"batch": list(calls)})


def locks(door: Door) -> list[bool]:
    """Of the transactions so far, whether each kept everyone else out."""
    return door.store.tables.people.locks


async def test_twice_in_one_request_is_once(door: Door) -> None:
    assert await send(door, TRACK, TRACK) == {"held": 2}
    assert await send(door, GROUP, GROUP) == {"accepted": 1, "duplicates": 1}
    assert await send(door, call(messageId="m-2"), call(messageId="m-2")) == {"accepted": 1, "duplicates": 1}

    assert {each["id"] for each in facts(door)} == {"g-1", "m-1", "m-2"}
    assert len({each["id"]: each["data"] for each in facts(door)}) == 3, (
        "what is there twice says the same twice"
    )


async def test_between_two_groups_of_one_request_it_is_in_one_account(door: Door) -> None:
    assert await send(door, GROUP, TRACK, MOVE, TRACK) == {"accepted": 3, "duplicates": 1}

    assert accounts(door)["m-1"] == "acme"


async def test_what_waits_and_is_sent_again_stays_one(door: Door) -> None:
    for _ in range(3):
        assert await send(restarted(door), TRACK) == {"held": 1}

    assert len(door.rejections) == 1
    await send(door, GROUP)
    assert sorted(accounts(door)) == ["g-1", "m-1"]
    assert await send(restarted(door), TRACK) == {"accepted": 1}
    assert accounts(door)["m-1"] == "acme"


@pytest.mark.parametrize("known", [False, True], ids=["waiting", "given"])
@pytest.mark.parametrize("together", [False, True], ids=["two requests", "one request"])
async def test_a_known_id_with_another_body_is_a_conflict_that_is_listed(
    door: Door, known: bool, together: bool
) -> None:
    if known:
        await send(door, GROUP)
    other = call(messageId="m-1", event="Other")
    if together:
        await send(door, TRACK, other)
    else:
        await send(door, TRACK)
        assert await send(restarted(door), other) == {"rejected": 1}

    assert await listed(door) == {"m-1": "conflicting_id"}
    await send(restarted(door), GROUP, TRACK, other)
    assert {each["data"]["feature"] for each in facts(door) if each["id"] == "m-1"} == {"Report Exported"}
    assert accounts(door)["m-1"] == "acme"


async def test_a_corrected_time_is_no_conflict(door: Door) -> None:
    await send(door, TRACK)

    again = TRACK | {"timestamp": "2026-03-02T08:58:00Z", "sentAt": "2026-03-02T09:00:20Z"}

    assert await send(door, again) == {"held": 1}
    assert len(door.rejections) == 1


async def test_a_failure_of_the_brokers_after_the_decision_changes_nothing(door: Door) -> None:
    await send(door, GROUP)
    with door.brokers.losing(CUSTOMER_EVENTS.name):
        answer = await post(door, TRACK, call(messageId="m-2"))
    assert refusal(answer) == (503, "brokers_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    await send(door, MOVE)

    assert await send(restarted(door), TRACK, call(messageId="m-2")) == {"accepted": 2}

    assert accounts(door) == {"g-1": "acme", "m-1": "acme", "m-2": "acme", "g-2": "globex"}
    assert len(facts(door)) == 4


async def test_a_failure_of_the_brokers_under_a_group_lets_go_what_waited(door: Door) -> None:
    await send(door, TRACK)
    with door.brokers.losing(CUSTOMER_EVENTS.name):
        assert (await post(door, GROUP)).status_code == 503

    await send(restarted(door), GROUP)

    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}


async def test_half_a_batch_on_the_log_becomes_a_whole_one(door: Door) -> None:
    calls = [call(messageId=f"m-{number}") for number in range(4)]
    await send(door, GROUP)
    with door.brokers.losing_every_second(CUSTOMER_EVENTS.name):
        assert (await post(door, *calls)).status_code == 503

    assert await send(door, *calls) == {"accepted": 4}

    assert accounts(door) == dict.fromkeys(["g-1", "m-0", "m-1", "m-2", "m-3"], "acme")


async def test_without_the_database_nothing_is_promised_and_nothing_lost(door: Door) -> None:
    door.store.away = True
    answer = await post(door, TRACK, call("unknown", messageId="m-2"))
    assert refusal(answer) == (503, "database_unavailable")
    assert "retry-after" in answer.headers
    assert (facts(door), door.rejections) == ([], [])

    door.store.away = False
    assert await send(door, TRACK, call("unknown", messageId="m-2")) == {"held": 1, "rejected": 1}


async def test_everyone_else_is_kept_out_only_where_names_are_joined(door: Door) -> None:
    await send(door, TRACK, GROUP)
    assert locks(door) == [False]
    login = call("identify", messageId="i-1", anonymousId="c-1")
    await send(door, login)
    assert locks(door)[1:] == [True]
    await send(restarted(door), login, call(messageId="m-2", anonymousId="c-1"))
    assert locks(door)[2:] == [False]


async def test_two_sources_may_use_the_same_id() -> None:
    door = open_door()
    await send(door, call(context={"groupId": "acme"}))
    token = door.keys.add("other", source="mobile")

    answer = await door.client.post(
        "/v1/track",
        json=call(event="Other", context={"groupId": "acme"}),
        headers={"authorization": f"Bearer {token}"},
    )

    assert answer.json()["accepted"] == 1
    assert {each["source"] for each in facts(door)} == {"sdk/backend", "sdk/mobile"}
