"""Characters that no database keeps, anywhere in a message: it is taken without harm or kept aside, and never breaks the door."""

import json
from typing import Any

import pytest
from tests.unit.ingest.door import Door, event
from tests.unit.ingest.sdk.samples import call, capture

ODD = [
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfffx",
    "\x1b[0m",
    "\u2028",
    "\ufffe",
    "💥" * 60,
    "\u202e" * 3,
    "x" * 5_000,
    "",
]
PLACES = [
    "messageId",
    "userId",
    "anonymousId",
    "event",
    "groupId",
    "previousId",
    "type",
    "timestamp",
    "sentAt",
    "name",
    "x",
]
INSIDE: list[dict[str, Any]] = [
    {"properties": {"k": "ODD"}}, {"properties": {"ODD": 1}}, {"properties": {"a": [{"b": "ODD"}]}},
    {"traits": {"email": "ODD", "name": "ODD"}}, {"traits": {"ODD": "ODD"}}, {"context": {"groupId": "ODD"}},
    {"context": {"timezone": "ODD", "ODD": "ODD"}}, {"integrations": {"ODD": "ODD"}},
]  # fmt: skip
KINDS = ["track", "page", "screen", "identify", "group", "alias"]
ANSWERS = {200, 202, 400, 409, 413}
NAMES = [ascii(each)[:12] for each in ODD]


def odd(value: Any, text: str) -> Any:
    """The value with the text in every place that is marked."""
    if isinstance(value, dict):
        return {odd(key, text): odd(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [odd(each, text) for each in value]
    return text if value == "ODD" else value


def calls(text: str) -> list[dict[str, Any]]:
    """Calls of every kind with the text in every place."""
    places = [{place: text} for place in PLACES] + [odd(each, text) for each in INSIDE]
    told = {"groupId": "acme", "previousId": "old"}
    return [
        call(kind) | told | {"messageId": f"{kind}-{number}"} | members
        for kind in KINDS
        for number, members in enumerate(places)
    ]


@pytest.mark.parametrize("text", ODD, ids=NAMES)
async def test_in_calls_of_sdks(door: Door, text: str) -> None:
    sent = calls(text)
    answer = await door.client.post("/v1/batch", content=json.dumps({"batch": sent}))
    assert answer.status_code in ANSWERS, answer.text[:200]

    for shared in ({"sentAt": text}, {"context": {"groupId": text}}, {"context": {text: text}}, {text: text}):
        body = {"batch": [call(), call("nothing", messageId="m-2")]} | shared
        answer = await door.client.post("/v1/batch", content=json.dumps(body))
        assert answer.status_code in ANSWERS, answer.text[:200]

    assert all(b"\\u0000" not in (each.value or b"").replace(b"\\\\", b"") for each in door.facts)


@pytest.mark.parametrize("text", ODD, ids=NAMES)
async def test_in_events_of_posthog(door: Door, text: str) -> None:
    for members in ({"distinct_id": text}, {"uuid": text}, {"event": text}, {"timestamp": text}):
        answer = await door.client.post("/capture/", content=json.dumps(capture("x") | members))
        assert answer.status_code in ANSWERS, answer.text[:200]
    for properties in (
        {"$groups": {"company": text}},
        {"$groups": {text: text}},
        {text: text},
        {"$set": {"email": text}},
    ):
        answer = await door.client.post("/capture/", content=json.dumps(capture("$identify", properties)))
        assert answer.status_code in ANSWERS, answer.text[:200]


@pytest.mark.parametrize("text", ODD, ids=NAMES)
async def test_in_cloud_events(door: Door, text: str) -> None:
    for name in ("id", "source", "type", "subject", "time", "specversion", "datacontenttype", "extension"):
        answer = await door.post(json.dumps(event(**{name: text})).encode())
        assert answer.status_code in ANSWERS, answer.text[:200]
    for data in ({"k": text}, {text: 1}, {"a": [{"b": text}]}):
        answer = await door.post(json.dumps(event(data=data)).encode())
        assert answer.status_code in ANSWERS, answer.text[:200]


async def test_what_comes_as_broken_utf8_is_refused_or_kept_aside(door: Door) -> None:
    for path in ("/v1/batch", "/v1/track", "/capture/", "/v1/events"):
        answer = await door.client.post(
            path, content=b'{"batch": [{"event": "\xed\xa0\x80"}], "event": "\xff"}'
        )
        assert answer.status_code == 400 or answer.json()["rejected"] == 1
