"""The modes of CloudEvents through the whole door: what is on the log does not tell which one an event came in."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from tests.support.clock import START
from tests.unit.ingest.door import PATH, Door, event, refusal


def sdk_event(**attributes: Any) -> CloudEvent:
    """An event made by the official SDK."""
    told = {
        "id": "e-1",
        "source": "urn:acme:app",
        "type": "csm.usage.recorded",
        "subject": "Müller & Söhne",
        "time": START - timedelta(minutes=1),
        "specversion": "1.0",
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes=told | attributes, data={"feature": "report exported"})


async def send(door: Door, message: HTTPMessage) -> None:
    answer = await door.post(message.body, **message.headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")


async def test_every_mode_is_the_same_on_the_log(door: Door) -> None:
    binary = to_binary_event(sdk_event(id="e-1"))
    await send(door, binary)
    await send(door, HTTPMessage(to_binary_event(sdk_event(id="e-2")).headers, gzip.compress(binary.body)))
    await send(door, to_structured_event(sdk_event(id="e-3")))
    pair = [json.loads(to_structured_event(sdk_event(id=name)).body) for name in ("e-4", "e-5")]
    answer = await door.post(pair, **{"content-type": "application/cloudevents-batch+json"})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 2, 0)
    told = [json.loads(each.value or b"") for each in door.facts]
    assert [each.pop("id") for each in told] == ["e-1", "e-2", "e-3", "e-4", "e-5"]
    assert all(each == told[0] for each in told)
    assert {each.key for each in door.facts} == {"Müller & Söhne".encode()}


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"ce-id": ""}, b"{}", "invalid_id"),
        ({"ce-specversion": "0.3"}, b"{}", "unsupported_specversion"),
        ({"content-type": "text/plain"}, b"Hello", "unsupported_data"),
        ({}, b"[1]", "invalid_data"),
        ({}, b"{", "invalid_json"),
        ({"ce-data": "x"}, b"{}", "invalid_header"),
    ],
)
async def test_a_refusal_says_why(door: Door, headers: dict[str, str], body: bytes, code: str) -> None:
    message = to_binary_event(sdk_event())
    assert refusal(await door.post(body, **(message.headers | headers))) == (400, code)
    assert not door.facts


async def test_the_key_in_the_query(door: Door) -> None:
    del door.client.headers["authorization"]
    assert refusal(await door.post(event())) == (401, "unauthenticated")
    answer = await door.client.post(PATH, params={"access_token": door.token}, json=event())
    assert answer.status_code == 202
    refused = await door.client.post(PATH, params={"access_token": "csm_odd.one"}, json=event())
    assert refusal(refused) == (401, "unauthenticated")


async def test_the_handshake_needs_no_key(door: Door) -> None:
    del door.client.headers["authorization"]
    headers = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    answer = await door.client.options(PATH, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] in {"*", "120"}
