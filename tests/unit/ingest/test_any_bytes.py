"""Whatever is sent, the door answers with sense, and what it takes its readers can read."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ingest.door import event, open_door

from csm_common.contracts.envelope import Envelope
from csm_common.contracts.facts import FACTS
from ingest.entrypoints.examples import EVENTS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
NAMES = st.sampled_from([*event(), "backfill", "data_base64", "datacontenttype", "comexample"])
TYPES = st.sampled_from([*FACTS, "csm.nothing", "acme.own"])
FIELDS = sorted({name for example in EVENTS.values() for name in example["data"]})

ANY_EVENT = st.builds(lambda changes: event() | changes, st.dictionaries(NAMES, JSON, max_size=3))
ANY_DATA = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4)
ANY_FACT = st.builds(
    lambda name, changes: event(type=name, data=EVENTS.get(name, event())["data"] | changes), TYPES, ANY_DATA
)


PATIENT = settings(deadline=None)
DOOR = open_door()


async def check(body: bytes) -> None:
    """Send, and hold the answer against what came of it."""
    DOOR.facts.clear()
    DOOR.store.tables.outbox.messages.clear()
    response = await DOOR.post(body)

    assert response.status_code in {202, 400, 409, 413}, response.text
    answer = response.json()
    if response.status_code != 202:
        assert answer["code"]
        assert answer["message"]
        assert not DOOR.facts
    for message in [*DOOR.facts, *DOOR.contacts]:
        decoded = msgspec.json.decode(message.value or b"", type=Envelope)
        assert decoded.time.tzinfo is not None
        assert (message.key or b"").startswith(decoded.subject.encode())
        if decoded.type in FACTS:
            msgspec.convert(decoded.data, FACTS[decoded.type])


@PATIENT
@given(st.binary())
async def test_any_bytes(body: bytes) -> None:
    await check(body)


@PATIENT
@given(JSON)
async def test_any_json(value: Any) -> None:
    await check(json.dumps(value).encode())


@PATIENT
@given(ANY_EVENT)
async def test_any_attributes(value: dict[str, Any]) -> None:
    await check(json.dumps(value).encode())


@PATIENT
@given(ANY_FACT)
async def test_any_data_of_any_fact(value: dict[str, Any]) -> None:
    await check(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))


@PATIENT
@given(st.lists(ANY_EVENT | ANY_FACT | JSON, max_size=4))
async def test_any_batch(values: list[Any]) -> None:
    await check(json.dumps(values).encode())
