"""The contracts: a registry without holes, and an example of every event type that must decode for good."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError
from tests.support.clock import START

from csm_common.contracts.contacts import (
    CONTACT_RECORDED,
    PERSONAL_FIELDS,
    ContactRecorded,
    account_key,
    contact_key,
)
from csm_common.contracts.envelope import Envelope, RawEnvelope, encode
from csm_common.contracts.facts import (
    ERASURES,
    FACTS,
    ContactChanged,
    InvoiceChanged,
    OverrideSet,
    SentimentRecorded,
    SurveyAnswered,
    UsageRecorded,
)
from csm_common.contracts.health import ACCOUNT_SCORED, THRESHOLD_CROSSED, AccountSnapshot, Crossing
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest
from csm_common.contracts.topics import CUSTOMER_EVENTS, TOPICS, topic

GOLDEN = Path(__file__).parents[2] / "golden"
SHAPES: dict[str, type] = {
    **FACTS,
    **ERASURES,
    CONTACT_RECORDED: ContactRecorded,
    ACCOUNT_SCORED: AccountSnapshot,
    THRESHOLD_CROSSED: Crossing,
    NOTIFICATION_REQUESTED: NotificationRequest,
}
SERVICES = {"ingest", "health-score", "playbooks", "notifier"}


def test_every_type_has_a_golden_example_and_no_example_is_an_orphan() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(SHAPES)


@pytest.mark.parametrize("type_", SHAPES)
def test_a_golden_example_decodes_and_means_what_it_says(type_: str) -> None:
    envelope = msgspec.json.decode((GOLDEN / f"{type_}.json").read_bytes(), type=RawEnvelope)
    assert (envelope.type, envelope.subject, envelope.time) == (type_, "acme", START)

    written: dict[str, Any] = msgspec.json.decode(envelope.data)
    decoded: object = msgspec.json.decode(envelope.data, type=SHAPES[type_])
    known = {each.name for each in fields(SHAPES[type_])}
    assert {name: value for name, value in msgspec.to_builtins(decoded).items() if name in written} == {
        name: value for name, value in written.items() if name in known
    }


@pytest.mark.parametrize("type_", SHAPES)
def test_pydantic_reads_a_golden_example_as_msgspec_does(type_: str) -> None:
    envelope = msgspec.json.decode((GOLDEN / f"{type_}.json").read_bytes(), type=RawEnvelope)
    validated: object = TypeAdapter(SHAPES[type_]).validate_json(bytes(envelope.data))
    assert validated == msgspec.json.decode(envelope.data, type=SHAPES[type_])


@pytest.mark.parametrize("type_", SHAPES)
def test_a_golden_example_names_every_field_of_its_contract(type_: str) -> None:
    event = msgspec.json.decode((GOLDEN / f"{type_}.json").read_bytes())
    left_out = {"score"} if type_ == "csm.override.set" else set()  # it takes either a score or a band
    assert {each.name for each in fields(SHAPES[type_])} - set(event["data"]) == left_out


def test_what_was_told_before_there_was_more_to_tell_is_still_read() -> None:
    request = msgspec.json.decode((GOLDEN / f"{NOTIFICATION_REQUESTED}.json").read_bytes())["data"]
    crossing = msgspec.json.decode((GOLDEN / f"{THRESHOLD_CROSSED}.json").read_bytes())["data"]
    ids = ("run_id", "step", "playbook", "playbook_version", "crossing_id", "fact_ids")
    request["chain"] = {name: request["chain"][name] for name in ids}
    del request["priority"], request["if_held"], crossing["cause"]["facts"]
    old = msgspec.convert(request, NotificationRequest)
    assert (old.priority, old.if_held, old.chain.steps, old.chain.crossing) == (0, "later", [], None)
    assert old.chain.fact_ids == ["01-csm.ticket.changed"]
    assert msgspec.convert(crossing, Crossing).cause.facts == []


def test_what_we_encode_we_decode() -> None:
    fact = UsageRecorded(feature="report.export", quantity=2.0)
    bytes_ = encode(
        id="e1", source="//test", type="csm.usage.recorded", subject="acme", time=START, data=fact
    )
    envelope = msgspec.json.decode(bytes_, type=Envelope)
    assert (envelope.id, envelope.source, envelope.subject) == ("e1", "//test", "acme")
    assert (envelope.time, envelope.backfill) == (START, False)
    assert msgspec.convert(envelope.data, UsageRecorded) == fact
    assert msgspec.json.decode(bytes_)["specversion"] == "1.0"


@pytest.mark.parametrize(
    ("shape", "data", "sentence"),
    [
        (UsageRecorded, {"feature": ""}, "feature must not be empty"),
        (UsageRecorded, {"feature": "a", "quantity": -1}, "quantity must not be negative"),
        (SurveyAnswered, {"kind": "nps", "score": 11}, "a nps score must be from 0 to 10"),
        (SurveyAnswered, {"kind": "csat", "score": 0}, "a csat score must be from 1 to 5"),
        (SurveyAnswered, {"kind": "ces", "score": 9, "scale_max": 8}, "a ces score must be from 1 to 8"),
        (InvoiceChanged, {"invoice_id": "1", "status": "open", "due": "soon"}, "due must be a date"),
        (SentimentRecorded, {"sentiment": 101}, "sentiment must be from 0 to 100"),
        (OverrideSet, {"reason": "x", "until": "2026-04-01"}, "give either score or band"),
        (OverrideSet, {"reason": "", "until": "2026-04-01", "band": "healthy"}, "reason must not be empty"),
        (OverrideSet, {"reason": "x", "until": "2026-04-01", "score": -1}, "score must be from 0 to 100"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_both_readers(
    shape: type, data: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TypeAdapter(shape).validate_python(data)
    with pytest.raises(msgspec.ValidationError, match=sentence):
        msgspec.json.decode(msgspec.json.encode(data), type=shape)


def test_personal_details_have_no_place_in_the_fact_and_one_in_the_directory() -> None:
    assert not set(PERSONAL_FIELDS) & {each.name for each in fields(ContactChanged)}
    assert set(PERSONAL_FIELDS) <= {each.name for each in fields(ContactRecorded)}


def test_the_registry_names_each_topic_once() -> None:
    assert len({each.name for each in TOPICS}) == len(TOPICS)
    assert topic("customer.events.v1") is CUSTOMER_EVENTS
    with pytest.raises(KeyError):
        topic("customer.events.v0")


@pytest.mark.parametrize("each", TOPICS, ids=lambda each: each.name)
def test_every_topic_has_a_writer_a_reader_a_size_and_an_end(each: Any) -> None:
    assert each.producers
    assert each.consumers
    assert {*each.producers, *each.consumers} <= SERVICES
    assert each.partitions > 0
    assert each.key
    assert each.about
    assert (each.cleanup == "compact") == (each.retention_ms is None)
    assert each.retention_ms is None or each.retention_ms > 0
    assert each.dead_letters == f"{each.name}.dlq"


def test_every_type_travels_on_a_topic_and_every_topic_carries_known_types() -> None:
    named = {type_ for each in TOPICS for type_ in each.types}
    assert named - {"csm.*", "custom"} == set(SHAPES) - set(FACTS)
    assert not FACTS.keys() & ERASURES.keys()
    assert CUSTOMER_EVENTS.types == ("csm.*", "custom")


def test_no_two_contacts_and_no_account_share_a_key_of_the_contacts_topic() -> None:
    accounts, ids = ("acme", "acme/", "acme/eu", "acme//"), ("c-5", "eu", "é")
    keys = [account_key(account) for account in accounts]
    keys += [contact_key(account, contact) for account in accounts for contact in ids]
    assert len(set(keys)) == len(keys)
