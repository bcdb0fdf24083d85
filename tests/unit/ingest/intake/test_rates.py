"""Rate limits: per key, with the time after which to come again, and no batch starved by small requests."""

import asyncio

import httpx
import pytest
from tests.unit.ingest.door import Door, event, open_door, refusal
from tests.unit.ingest.sdk.samples import call


async def post(door: Door, token: str, path: str, body: object) -> httpx.Response:
    """The answer to the owner of a key."""
    return await door.client.post(path, json=body, headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/events", event()),
        ("/v1/events", [event(id="a"), event(id="b")]),
        ("/v1/track", call(context={"groupId": "acme"})),
        ("/v1/batch", {"batch": [call(context={"groupId": "acme"})]}),
    ],
)
async def test_who_sends_too_much_is_told_when_to_come_again(path: str, body: object) -> None:
    door = open_door(events_per_s=1)

    answers = [await post(door, door.token, path, body) for _ in range(4)]

    assert answers[0].is_success
    assert refusal(answers[-1]) == (429, "rate_limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
    assert "1 events a second" in answers[-1].json()["message"]


async def test_one_key_does_not_pay_for_another() -> None:
    door = open_door(events_per_s=1)
    other = door.keys.add("other", source="other")

    for _ in range(4):
        last = await post(door, door.token, "/v1/events", event())

    assert last.status_code == 429
    assert (await post(door, other, "/v1/events", event())).status_code == 202


async def test_a_key_may_have_a_limit_of_its_own() -> None:
    door = open_door(events_per_s=1)
    bulk = door.keys.add("bulk", source="bulk", events_per_s=1_000)

    answers = [await post(door, bulk, "/v1/events", event(id=f"e-{n}")) for n in range(20)]

    assert {each.status_code for each in answers} == {202}


async def test_all_doors_draw_on_one_limit() -> None:
    door = open_door(events_per_s=1)
    await post(door, door.token, "/v1/batch", {"batch": [call(messageId=f"m-{n}") for n in range(9)]})

    assert refusal(await post(door, door.token, "/v1/events", event())) == (429, "rate_limited")


async def test_a_batch_larger_than_the_limit_is_taken_and_owes_the_rest() -> None:
    door = open_door(events_per_s=10)
    batch = [event(id=f"e-{number}") for number in range(100)]

    first, second = await asyncio.gather(*(post(door, door.token, "/v1/events", batch) for _ in range(2)))

    assert sorted([first.status_code, second.status_code]) == [202, 429]
    refused = max(first, second, key=lambda answer: answer.status_code)
    assert int(refused.headers["retry-after"]) >= 7
