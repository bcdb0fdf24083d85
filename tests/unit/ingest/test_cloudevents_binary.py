"""CloudEvents whose attributes are headers: the official SDK, the conformance samples, and what the HTTP binding asks for."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.webhooks.samples import sample

from csm_common.errors import InvalidError
from ingest.application.reading import is_batch, split_batch
from ingest.entrypoints.cloudevents import structured

HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "e-1",
    "ce-source": "urn:acme:app",
    "ce-type": "csm.usage.recorded",
    "ce-subject": "acme",
    "ce-time": "2026-03-02T08:59:00Z",
    "content-type": "application/json",
}
DATA = b'{"feature": "report"}'
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "urn:acme:app",
    "type": "csm.usage.recorded",
    "subject": "acme",
    "time": "2026-03-02T08:59:00Z",
    "datacontenttype": "application/json",
    "data": {"feature": "report"},
}


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """As ASGI servers hand headers on."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def event_of(headers: dict[str, str], body: bytes = DATA) -> Any:
    """The event in structured mode, decoded."""
    told = structured(raw(headers), body)
    return None if told is None else json.loads(told)


def refusal(headers: dict[str, str], body: bytes = DATA) -> tuple[str, str]:
    with pytest.raises(InvalidError) as raised:
        structured(raw(headers), body)
    assert raised.value.message.endswith(".")
    return raised.value.code, raised.value.message


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in HEADERS.items() if name not in names}


def test_an_event() -> None:
    assert event_of(HEADERS) == EVENT


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "application/cloudevents+json"},
        HEADERS | {"content-type": "application/cloudevents+json; charset=utf-8"},
        HEADERS | {"content-type": "Application/CloudEvents-Batch+JSON"},
        {"ce-tracestate": "x", "content-type": "application/json"},
    ],
)
def test_what_is_in_no_binary_mode(headers: dict[str, str]) -> None:
    assert structured(raw(headers), DATA) is None


def test_an_attribute_that_is_missing_stays_missing_and_is_refused_as_ever() -> None:
    assert event_of(without("ce-id")) == {name: value for name, value in EVENT.items() if name != "id"}
    assert event_of({"ce-type": "x"}, b"") == {"type": "x"}


def test_no_body_is_no_data() -> None:
    told = event_of(HEADERS, b"")
    assert "data" not in told
    assert "datacontenttype" not in told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ('"a \\"quoted\\" value"', 'a "quoted" value'),
        ("ünencoded", "ünencoded"),
        ("50% off", "50% off"),
        ("", ""),
    ],
)
def test_values_are_decoded_once(value: str, told: str) -> None:
    assert event_of(HEADERS | {"ce-comexample": value})["comexample"] == told


def test_bytes_that_are_no_utf_8() -> None:
    assert refusal(HEADERS | {"ce-subject": "%ff"})[0] == "invalid_header"
    with pytest.raises(InvalidError):
        structured([*raw(HEADERS), (b"ce-other", b"\xff")], DATA)


@pytest.mark.parametrize(("value", "told"), [("true", True), ("false", False), ("yes", "yes")])
def test_our_one_attribute_that_is_no_text(value: str, told: object) -> None:
    assert event_of(HEADERS | {"ce-backfill": value})["backfill"] == told


@pytest.mark.parametrize("name", ["ce-", "ce-a-b", "ce-a_b", "ce-data", "ce-datacontenttype"])
def test_headers_that_are_no_attributes(name: str) -> None:
    code, message = refusal(HEADERS | {name: "x"})
    assert code == "invalid_header"
    assert name in message


def test_an_attribute_that_is_told_twice() -> None:
    twice = [*raw(HEADERS), (b"ce-id", b"e-2")]
    with pytest.raises(InvalidError, match="ce-id is there twice"):
        structured(twice, DATA)
    assert structured([*raw(HEADERS), (b"ce-id", b"e-1")], DATA) is not None


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'text/json;charset="UTF-8"',
        "application/x.acme+json",
        "",
    ],
)
def test_json_by_any_name(content_type: str) -> None:
    told = event_of(HEADERS | {"content-type": content_type})
    assert told["data"] == {"feature": "report"}
    assert ";" not in told["datacontenttype"]
    assert event_of(without("content-type"))["datacontenttype"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml; charset=utf-8",
        "application/octet-stream",
        "application/json; charset=latin-1",
    ],
)
def test_data_that_is_no_json(content_type: str) -> None:
    assert refusal(HEADERS | {"content-type": content_type})[0] == "unsupported_data"


@pytest.mark.parametrize("body", [b"{", b"hello", b'{}, "id": "x"', b'{"a": 1}}', b"\x1f\x8b", b"{'a': 1}"])
def test_a_body_that_is_not_one_json_value(body: bytes) -> None:
    assert refusal(HEADERS, body)[0] == "invalid_json"


def test_a_body_that_is_nested_too_deep() -> None:
    assert refusal(HEADERS, b"[" * 100_000 + b"]" * 100_000)[0] == "too_deep"


def sdk_event(**attributes: Any) -> CloudEvent:
    told = {
        "id": "e-1",
        "source": "urn:acme:app",
        "type": "acme.workspace.archived",
        "subject": "acme",
        "time": datetime(2026, 3, 2, 8, 59, tzinfo=UTC),
        "specversion": "1.0",
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes=told | attributes, data={"workspace": "w-3", "name": "Größe"})


def test_the_official_sdk_says_the_same_in_every_mode() -> None:
    event = sdk_event(subject='Müller "& Söhne" 100%', comexample="ä € 😀")
    binary: HTTPMessage = to_binary_event(event)
    alone = to_structured_event(event)
    told = event_of(binary.headers, binary.body)
    assert told == json.loads(alone.body)
    assert structured(raw(alone.headers), alone.body) is None
    batch = b"[" + alone.body + b"," + alone.body + b"]"
    assert is_batch(batch)
    assert [json.loads(bytes(each)) for each in split_batch(batch)] == [told, told]


@given(
    subject=st.text(min_size=1).filter(str.isprintable),
    extension=st.text(min_size=1).filter(str.isprintable),
)
def test_any_attribute_survives_the_headers(subject: str, extension: str) -> None:
    binary = to_binary_event(sdk_event(subject=subject, comexample=extension))
    told = event_of(binary.headers, binary.body)
    assert (told["subject"], told["comexample"]) == (subject, extension)


@given(st.dictionaries(st.binary().map(lambda name: b"ce-" + name), st.binary()), st.binary())
def test_any_headers_and_body_get_an_answer(headers: dict[bytes, bytes], body: bytes) -> None:
    told = b"{}"
    with suppress(InvalidError):
        told = structured([*headers.items(), (b"ce-id", b"e-1")], body) or b""
    assert isinstance(json.loads(told), dict)


def conformance() -> Iterator[dict[str, Any]]:
    for name in ("v1.yaml", "v1.0/v1_minimum.yaml"):
        for told in yaml.load_all(sample(f"cloudevents_conformance/yaml/{name}"), Loader=yaml.BaseLoader):
            attributes = dict(told["ContextAttributes"])
            extensions = attributes.pop("Extensions", {})
            yield {"attributes": attributes | extensions, "data": told["Data"]}


def test_the_conformance_samples() -> None:
    taken = 0
    for told in conformance():
        attributes, data = told["attributes"], told["data"]
        content_type = attributes.pop("datacontenttype", "application/json")
        event = CloudEvent(attributes=attributes | {"time": datetime(2026, 3, 2, tzinfo=UTC)})
        headers = to_binary_event(event).headers | {"content-type": content_type}
        if "json" not in content_type:
            assert refusal(headers, data.encode())[0] == "unsupported_data"
            continue
        read = event_of(headers, data.encode())
        assert read["data"] == json.loads(data)
        assert {name: read[name] for name in attributes if name != "time"} == {
            name: value for name, value in attributes.items() if name != "time"
        }
        taken += 1
    assert taken == 5
