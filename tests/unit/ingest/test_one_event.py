"""One event at the door: taken as it came, or refused with a reason."""

import json
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.clock import START
from tests.unit.ingest.door import Door, event, refusal, usage

from csm_common.contracts.envelope import Envelope
from csm_common.contracts.facts import FACTS


async def test_an_event_is_durable_before_the_answer(door: Door) -> None:
    response = await door.post(event())

    assert (response.status_code, response.json()) == (202, {"id": "e-1", "status": "accepted"})
    (logged,) = door.facts
    assert (logged.topic, logged.key) == ("customer.events.v1", b"acme")


async def test_the_bytes_go_on_as_they_came(door: Door) -> None:
    body = (
        b' {"id":"e-1", "specversion":"1.0","source":"a","type":"b" ,"subject":"\\u00fc",'
        b'\n"time":"2026-03-02T10:59:00+02:00","data":{"n":1.50},"kept":[1]}\n'
    )

    assert (await door.post(body)).status_code == 202

    assert door.facts[0].value == body
    assert door.facts[0].key == "ü".encode()


async def test_the_time_of_receipt_is_added_where_there_is_none(door: Door) -> None:
    for name, time in (("a", ...), ("b", None)):
        assert (await door.post(event(id=name, time=time))).status_code == 202

    for name, logged in zip("ab", door.facts, strict=True):
        assert msgspec.json.decode(logged.value or b"") == event(id=name, time="2026-03-02T09:00:00Z")


async def test_no_data_is_empty_data(door: Door) -> None:
    for name, data in (("a", ...), ("b", None)):
        assert (await door.post(event(id=name, data=data))).status_code == 202

    assert [msgspec.json.decode(each.value or b"")["data"] for each in door.facts] == [{}, {}]


async def test_what_is_missing_in_a_fact_is_not_made_up(door: Door) -> None:
    response = await door.post(event(type="csm.usage.recorded", data=...))

    assert refusal(response) == (400, "invalid_data")
    assert "`feature`" in response.json()["message"]


async def test_fields_beyond_the_contract_are_kept(door: Door) -> None:
    sent = usage(feature="export", department="finance")

    assert (await door.post(sent)).status_code == 202
    assert json.loads(door.facts[0].value or b"") == sent


@pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
@pytest.mark.parametrize("value", [..., None, "", "  ", 7, ["x"], "a\x00b", "a\nb", "a\x7fb", "a\x85b"])
async def test_text_attributes_are_required(door: Door, name: str, value: Any) -> None:
    response = await door.post(event(**{name: value}))

    assert refusal(response) == (400, f"invalid_{name}")
    assert response.json()["message"].startswith(f"{name} ")
    assert not door.facts


@pytest.mark.parametrize(("name", "longest"), [("id", 200), ("source", 500), ("type", 200), ("subject", 200)])
async def test_text_attributes_have_a_greatest_length(door: Door, name: str, longest: int) -> None:
    assert (await door.post(event(**{name: "é" * longest}))).status_code == 202
    assert refusal(await door.post(event(**{name: "é" * (longest + 1)}))) == (400, f"invalid_{name}")


async def test_any_script_and_soft_hyphens_are_text(door: Door) -> None:
    assert (await door.post(event(subject="株式会社\xad\u200d"))).status_code == 202


@pytest.mark.parametrize("version", [..., None, "0.3", "2.0", 1.0])
async def test_only_cloudevents_1_0(door: Door, version: Any) -> None:
    assert refusal(await door.post(event(specversion=version))) == (400, "unsupported_specversion")


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-03-02", 1772442000, "2026-02-30T00:00:00Z", "2026-03-02T09:00:00"]
)
async def test_time_is_rfc_3339_with_a_zone(door: Door, time: Any) -> None:
    assert refusal(await door.post(event(time=time))) == (400, "invalid_time")


@pytest.mark.parametrize(
    "time", ["1999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"]
)
async def test_time_before_2000_is_a_mistake(door: Door, time: str) -> None:
    assert refusal(await door.post(event(time=time))) == (400, "time_implausible")


async def test_time_may_be_ahead_by_a_day(door: Door) -> None:
    tomorrow = START + timedelta(hours=24)

    assert (await door.post(event(time=tomorrow.isoformat()))).status_code == 202
    late = (tomorrow + timedelta(seconds=1)).isoformat()
    assert refusal(await door.post(event(time=late))) == (400, "time_in_future")
    assert refusal(await door.post(event(time="9999-12-31T23:59:59-23:59"))) == (400, "time_in_future")


@pytest.mark.parametrize("data", [[], "text", 1, True])
async def test_data_is_an_object(door: Door, data: Any) -> None:
    assert refusal(await door.post(event(data=data))) == (400, "invalid_data")


async def test_data_in_base64_is_not_taken(door: Door) -> None:
    assert refusal(await door.post(event(data=..., data_base64="e30="))) == (400, "invalid_data")


@pytest.mark.parametrize("backfill", [None, "true", 1])
async def test_backfill_is_a_boolean(door: Door, backfill: Any) -> None:
    assert refusal(await door.post(event(backfill=backfill))) == (400, "invalid_backfill")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"feature": "export", "quantity": "3"}, "Expected `float`, got `str` - at `data.quantity`"),
        ({"feature": 3}, "Expected `str`, got `int` - at `data.feature`"),
        ({"feature": ""}, "feature must not be empty"),
        ({}, "missing required field `feature`"),
        ({"feature": "export", "quantity": 10**400}, "out of range - at `data.quantity`"),
    ],
)
async def test_the_data_of_a_fact_keeps_its_contract(door: Door, data: dict[str, Any], reason: str) -> None:
    response = await door.post(usage(**data))

    assert refusal(response) == (400, "invalid_data")
    assert reason in response.json()["message"]


@pytest.mark.parametrize("date", ["2026-02-30", "soon", ""])
async def test_dates_of_facts_are_dates(door: Door, date: str) -> None:
    response = await door.post(event(type="csm.account.changed", data={"renewal_date": date}))

    assert refusal(response) == (400, "invalid_data")
    assert "renewal_date" in response.json()["message"]


async def test_the_reserved_prefix_tells_what_may_have_been_meant(door: Door) -> None:
    response = await door.post(event(type="csm.usage.record", data={"feature": "export"}))

    assert refusal(response) == (400, "unknown_type")
    assert "did you mean csm.usage.recorded" in response.json()["message"]


async def test_the_reserved_prefix_lists_the_facts_where_nothing_is_near(door: Door) -> None:
    response = await door.post(event(type="csm.zzzzzzzzzzzzzzzzzzzzzzzzzz"))

    assert refusal(response) == (400, "unknown_type")
    assert all(fact in response.json()["message"] for fact in FACTS)


async def test_what_other_services_tell_cannot_be_told_from_outside(door: Door) -> None:
    for inner in ("csm.threshold.crossed", "csm.account.scored", "csm.contact.recorded"):
        assert refusal(await door.post(event(type=inner))) == (400, "unknown_type")


async def test_an_event_has_at_most_32_kib(door: Door) -> None:
    frame = len(json.dumps(event(data={"text": ""})))

    assert (await door.post(event(data={"text": "x" * (32_768 - frame)}))).status_code == 202
    over = event(data={"text": "x" * (32_769 - frame)})
    assert refusal(await door.post(over)) == (413, "event_too_large")


def nested(levels: int) -> dict[str, Any]:
    """An event that is nested so deeply, itself and its data counted."""
    inner: Any = {}
    for _ in range(levels - 2):
        inner = [inner]
    return event(data={"in": inner} if levels > 2 else inner)


async def test_an_event_is_nested_at_most_32_deep(door: Door) -> None:
    assert (await door.post(nested(31))).status_code == 202
    assert refusal(await door.post(nested(33))) == (400, "too_deep")


@pytest.mark.parametrize(
    "body", [b'{"data":' + b"[" * 30_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"[" * 500_000]
)
async def test_a_bomb_of_brackets_is_refused(door: Door, body: bytes) -> None:
    assert refusal(await door.post(body)) == (400, "too_deep")


def with_members(members: str) -> bytes:
    """An event with more members written behind those it has."""
    return json.dumps(event()).rstrip("}").encode() + b"}, " + members.encode() + b"}"


@pytest.mark.parametrize(
    "body",
    [
        with_members('"subject": "globex"'),
        with_members('"subject" : "globex"'),
        with_members('"s\\u0075bject":"globex"'),
        with_members('"other": {"deep": [{"a": 1, "b": 2, "a": 3}]}'),
    ],
)
async def test_a_name_given_twice_is_refused(door: Door, body: bytes) -> None:
    assert refusal(await door.post(body)) == (400, "duplicate_name")


async def test_what_only_looks_like_a_name_given_twice_is_taken(door: Door) -> None:
    looks = event(data={"id": '"id":"id":', "source": '\\":', "list": [{"a": 1}, {"a": 2}]})

    assert (await door.post(looks)).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"   ", "invalid_json"),
        (b"null", "invalid_json"),
        (b"7", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b"<event/>", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"id": "e-1"} {}', "invalid_json"),
        (b'{"id": NaN}', "invalid_json"),
        (b'{"id": -Infinity}', "invalid_json"),
        (b'{"id": 1e999}', "invalid_json"),
        (b'{"id": "\xff"}', "invalid_json"),
        (b'{"id": "\\ud800"}', "invalid_json"),
        (b'\xef\xbb\xbf{"id": "e-1"}', "invalid_json"),
        (b"{}", "unsupported_specversion"),
    ],
)
async def test_what_is_no_event_is_refused(door: Door, body: bytes, code: str) -> None:
    assert refusal(await door.post(body)) == (400, code)
    assert not door.facts


@pytest.mark.parametrize(
    "label",
    ["application/cloudevents+json; charset=utf-8", "application/json", "text/plain", "application/xml"],
)
async def test_the_bytes_count_and_not_their_label(door: Door, label: str) -> None:
    assert (await door.post(event(), **{"content-type": label})).status_code == 202


async def test_every_accepted_event_is_one_for_its_readers(door: Door) -> None:
    events = (event(), event(time=..., data=...), event(backfill=True), usage(feature="export"))
    for number, sent in enumerate(events):
        assert (await door.post(sent | {"id": f"e-{number}"})).status_code == 202

    decoded = [msgspec.json.decode(each.value or b"", type=Envelope) for each in door.facts]
    assert [each.backfill for each in decoded] == [False, False, True, False]
    assert all(each.time.tzinfo for each in decoded)


async def test_other_methods_are_told_which_one_there_is(door: Door) -> None:
    response = await door.client.get("/v1/events")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert set(response.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


async def test_the_app_answers_probes_beside(door: Door) -> None:
    answers: list[httpx.Response] = [
        await door.client.get(path) for path in ("/livez", "/readyz", "/metrics")
    ]

    assert [each.status_code for each in answers] == [200, 200, 200]


async def test_a_repeat_is_known_however_it_is_written(door: Door) -> None:
    told = event(data={"a": 1, "b": {"c": "é", "d": None}})
    turned = event(data={"b": {"d": None, "c": "é"}, "a": 1})

    assert (await door.post(told)).json()["status"] == "accepted"
    for body in (json.dumps(turned, indent=1), json.dumps(told, ensure_ascii=False, separators=(",", ":"))):
        assert (await door.post(body.encode())).json()["status"] == "duplicate"
    assert refusal(await door.post(event(data={"a": 2}))) == (409, "conflicting_id")
