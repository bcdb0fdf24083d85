"""Webhooks of any sender, read by a mapping in YAML."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from tests.unit.ingest.webhooks.samples import AT, code_of, only_draft, received, understood

from ingest.application.incoming import Incoming
from ingest.application.shapes import data_problem
from ingest.application.webhooks.connections import Connection, connect
from ingest.application.webhooks.generic import GenericReader
from ingest.application.webhooks.rules import GenericHook
from ingest.domain.decision import Rejected

HOOK = """
kind: generic
secret_env: CRM_SECRET
signature: {header: X-Signature, prefix: "sha256="}
id: event_id
time: {column: occurred, formats: epoch_ms}
name: kind
account: company.id
users: [person.id, person.alias]
users_prefix: "crm:"
skip:
  - {when: {kind: heartbeat}, reason: says that it lives}
facts:
  - type: csm.touchpoint.occurred
    when: {kind: [call, meeting]}
    data: {touchpoint: kind, channel: {column: channel, as: lower}, participants: people}
  - type: csm.sentiment.recorded
    when: {mood: {not: null}}
    data: {sentiment: {column: mood, times: 10, min: 0, max: 100}}
  - type: csm.goal.changed
    when: {kind: goal}
    data: {goal_id: goal.id, due: goal.due, target: {column: goal.cents, times: 0.01}}
"""
CALL = {
    "event_id": "e-1",
    "occurred": 1_767_225_600_000,
    "kind": "call",
    "channel": "Video",
    "people": ["p-1"],
    "company": {"id": 42},
    "person": {"id": "p-1", "alias": "p-one"},
}


def hook(text: str = HOOK, **changes: Any) -> GenericHook:
    """A hook; a change of ... takes a key away."""
    whole = {name: value for name, value in (yaml.safe_load(text) | changes).items() if value is not ...}
    return GenericHook.model_validate(whole)


def read(payload: Any, context: dict[str, str] | None = None, **changes: Any) -> Incoming | Rejected:
    return GenericReader(hook(**changes))(received(payload, **(context or {})))


def connection(**changes: Any) -> Connection:
    return connect({"crm": hook(**changes)}, {"CRM_SECRET": "secret"})["crm"]


def test_a_message() -> None:
    told = understood(read(CALL))
    assert (told.id, told.source, told.name, told.properties) == ("e-1", "webhook/test", "call", CALL)
    assert told.time == datetime(2026, 1, 1, tzinfo=UTC)
    assert (told.account, told.users, told.joins, told.fallback) == (
        "42",
        ("crm:p-1", "crm:p-one"),
        None,
        None,
    )
    draft = only_draft(told)
    assert (draft.id, draft.type, draft.time) == ("e-1", "csm.touchpoint.occurred", told.time)
    assert draft.data == {"touchpoint": "call", "channel": "video", "participants": ["p-1"]}


def test_every_fact_that_applies() -> None:
    drafts = understood(read(CALL | {"mood": 7})).drafts
    assert [(each.id, each.type) for each in drafts] == [
        ("e-1", "csm.touchpoint.occurred"),
        ("e-1/1", "csm.sentiment.recorded"),
    ]
    assert drafts[1].data == {"sentiment": 70.0}


def test_dates_are_texts_as_the_contracts_want_them() -> None:
    goal = {"goal": {"id": "g-1", "due": "2026-06-30", "cents": 1999}, "kind": "goal"}
    draft = only_draft(read(CALL | goal))
    assert draft.data == {"goal_id": "g-1", "due": "2026-06-30", "target": 19.99}
    assert data_problem(draft.type, draft.data) is None


def test_what_is_skipped_is_understood_and_tells_nothing() -> None:
    told = understood(read({"kind": "heartbeat", "event_id": "h-1"}))
    assert (told.id, told.drafts, told.users) == ("h-1", (), ())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "odd"}, "no_fact"),
        ({"mood": "good"}, "not_a_number"),
        ({"mood": 11}, "out_of_range"),
        ({"occurred": "soon"}, "not_a_time"),
        ({"company": {}, "person": None}, "unknown_account"),
        ({"company": {"id": []}}, "not_a_text"),
        ({"kind": "goal", "goal": {}}, "missing_value"),
    ],
)
def test_what_the_mapping_cannot_take_says_why(change: dict[str, Any], code: str) -> None:
    assert code_of(read(CALL | change)) == code


@pytest.mark.parametrize("body", [b"", b"hello", b"[1]", b'"x"', b"{"])
def test_what_is_no_json_object(body: bytes) -> None:
    assert code_of(read(body)) in {"invalid_json", "invalid_payload"}


def test_without_an_id_the_bytes_tell_it() -> None:
    first, again, other = (
        understood(read(payload, id=...)) for payload in (CALL, CALL, CALL | {"channel": "phone"})
    )
    assert first.id == again.id != other.id


def test_without_a_time_it_is_when_it_came() -> None:
    assert understood(read(CALL, time=...)).time == AT
    assert understood(read({**CALL, "occurred": None})).time == AT


def test_times_without_a_zone_are_in_that_of_the_hook() -> None:
    told = understood(
        read(CALL | {"occurred": "2026-01-01T01:00:00"}, time="occurred", timezone="Europe/Berlin")
    )
    assert told.time == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_person_is_put_into_the_account() -> None:
    told = understood(read(CALL | {"kind": "login"}, joins=True))
    assert (told.users[0], told.joins, told.drafts) == ("crm:p-1", "42", ())


def test_a_fallback_for_whom_nobody_knows() -> None:
    told = understood(read(CALL | {"team": "t-9"}, account=..., fallback="team"))
    assert (told.account, told.fallback) == (None, "t-9")


def test_a_delivery_of_several_messages() -> None:
    several = connection(each="batch.events", id=...)
    body = json.dumps({"batch": {"events": [CALL, CALL]}}).encode()
    messages = several.messages(body, AT)
    assert [json.loads(each.body) for each in messages] == [CALL, CALL]
    assert {(each.format, each.source, each.at) for each in messages} == {("webhook/crm", "webhook/crm", AT)}
    ids = [understood(several.reader(each)).id for each in messages]
    assert len(set(ids)) == 2, "equal messages of one delivery are two"
    again = [understood(several.reader(each)).id for each in several.messages(body, AT)]
    assert ids == again


def test_a_body_that_is_a_list() -> None:
    messages = connection(each=".").messages(json.dumps([CALL, CALL]).encode(), AT)
    assert [json.loads(each.body) for each in messages] == [CALL, CALL]


@pytest.mark.parametrize("body", [b"{}", b'{"batch": {"events": {}}}', b"odd", b"[" * 100_000])
def test_a_delivery_that_cannot_be_split_is_kept_as_a_whole(body: bytes) -> None:
    several = connection(each="batch.events")
    (message,) = several.messages(body, AT)
    assert message.body == body
    assert code_of(several.reader(message)) == "invalid_payload"


def test_an_empty_list_is_no_message() -> None:
    assert connection(each="events").messages(b'{"events": []}', AT) == []
