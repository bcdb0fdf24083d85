"""Batches at the door: what is wrong in one does not keep the rest out."""

import json
from typing import Any

import msgspec
import pytest
from tests.unit.ingest.door import Door, event, refusal, usage

from csm_common.contracts.envelope import BATCH_CONTENT_TYPE

EMPTY: dict[str, Any] = {"accepted": 0, "duplicates": 0, "parked": 0, "rejected": 0, "results": []}


def numbered(count: int) -> list[dict[str, Any]]:
    """So many events that are in order."""
    return [event(id=f"e-{number}", subject=f"account-{number % 3}") for number in range(count)]


async def test_all_events_of_a_batch_are_taken(door: Door) -> None:
    response = await door.post(numbered(5), **{"content-type": BATCH_CONTENT_TYPE})

    assert (response.status_code, response.json()) == (202, EMPTY | {"accepted": 5})
    assert [json.loads(each.value or b"")["id"] for each in door.facts] == [f"e-{n}" for n in range(5)]
    assert [each.key for each in door.facts][:4] == [b"account-0", b"account-1", b"account-2", b"account-0"]


async def test_each_event_goes_on_with_the_bytes_it_came_in(door: Door) -> None:
    texts = [json.dumps(event(id="e-1"), indent=2), json.dumps(event(id="e-2"))]

    assert (await door.post(f" [ {texts[0]} ,\n{texts[1]}]\n".encode())).status_code == 202

    assert [each.value for each in door.facts] == [text.encode() for text in texts]


async def test_only_the_refused_events_are_listed(door: Door) -> None:
    batch = [
        event(id="good-1"),
        usage(feature="export", quantity="3") | {"id": "bad-1"},
        event(id="good-2"),
        event(id=...),
        event(id="bad-3", data={"text": "x" * 40_000}),
        "no event",
        event(id="good-3"),
    ]

    response = await door.post(batch)

    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (3, 4)
    assert [(each["index"], each["id"], each["status"], each["code"]) for each in answer["results"]] == [
        (1, "bad-1", "rejected", "invalid_data"),
        (3, None, "rejected", "invalid_id"),
        (4, "bad-3", "rejected", "event_too_large"),
        (5, None, "rejected", "invalid_event"),
    ]
    assert all(each["message"] for each in answer["results"])
    assert [json.loads(each.value or b"")["id"] for each in door.facts] == ["good-1", "good-2", "good-3"]


async def test_a_batch_of_nothing_but_mistakes_is_a_mistake(door: Door) -> None:
    response = await door.post([event(id=""), event(id="e-2", type="csm.nothing")])

    assert refusal(response) == (400, "all_rejected")
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (0, 2)
    assert [each["code"] for each in answer["results"]] == ["invalid_id", "unknown_type"]
    assert not door.facts


async def test_a_number_beyond_all_range_spoils_its_event_alone(door: Door) -> None:
    good, bad = json.dumps(event()), json.dumps(event(id="e-2")).replace('"w-3"', "1e999")

    response = await door.post(f"[{good},{bad}]".encode())

    assert response.status_code == 202
    assert [each["code"] for each in response.json()["results"]] == ["invalid_json"]


async def test_an_empty_batch_is_a_mistake(door: Door) -> None:
    assert refusal(await door.post([])) == (400, "empty_batch")


async def test_a_batch_has_at_most_2500_events(door: Door) -> None:
    tiny = [event(id=f"e-{number}", data={}) for number in range(2_501)]

    assert (await door.post(tiny[:2_500])).json() == EMPTY | {"accepted": 2_500}
    door.facts.clear()
    assert refusal(await door.post(tiny)) == (413, "batch_too_large")
    assert not door.facts


@pytest.mark.parametrize(
    "broken",
    [
        b"[%s,]",
        b"[%s",
        b"[%s, {]",
        b"[%s] x",
    ],
)
async def test_of_a_batch_that_is_no_json_nothing_is_written(door: Door, broken: bytes) -> None:
    assert refusal(await door.post(broken % json.dumps(event()).encode())) == (400, "invalid_json")
    assert not door.facts


@pytest.mark.parametrize(
    "broken",
    [b"NaN", b'{"id": -Infinity}', b'{"id": "\xff"}', b'{"id": "\\ud800"}', b'{"id": "\xff\\ud800"}'],
)
async def test_an_event_that_no_reader_accepts_spoils_itself_alone(door: Door, broken: bytes) -> None:
    long = event(data={"text": "💥" * 7_500})
    body = b"[%s, %s]" % (json.dumps(long, ensure_ascii=False).encode(), broken)

    receipt = (await door.post(body)).json()

    assert (receipt["accepted"], receipt["rejected"]) == (1, 1)
    assert (receipt["results"][0]["index"], receipt["results"][0]["code"]) == (1, "invalid_json")
    assert [json.loads(each.value or b"") for each in door.facts] == [long]


async def test_events_of_a_batch_share_the_time_of_receipt(door: Door) -> None:
    await door.post([event(id="e-1", time=...), event(id="e-2", time=...)])

    times = [msgspec.json.decode(each.value or b"")["time"] for each in door.facts]
    assert times == ["2026-03-02T09:00:00Z"] * 2
