"""Whatever JSON comes, it is understood or refused with a sentence, and alike each time."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.sdk.samples import POSTHOG, SEGMENT, call, capture, received

from ingest.application.incoming import Incoming, Reader
from ingest.application.sdk.calls import KINDS
from ingest.domain.decision import Rejected

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "acme", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TRAITS = st.dictionaries(
    st.sampled_from(["name", "plan", "arr", "mrr", "seats", "renewalDate", "owner", "email"]), ANY
)
CALLS = st.builds(
    lambda kind, members: call(kind) | members,
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from(["type", "event", "userId", "anonymousId", "groupId", "previousId", "messageId", "timestamp",
                         "sentAt", "context", "properties", "name"]), ANY)
    | st.builds(lambda traits: {"groupId": "acme", "traits": traits}, TRAITS),
)  # fmt: skip
EVENTS = st.builds(
    lambda name, properties, members: capture(name, properties) | members,
    st.sampled_from(["$identify", "$set", "$groupidentify", "$create_alias", "$pageview", "$screen", "x"]),
    st.dictionaries(
        st.sampled_from(["$groups", "$group_type", "$group_key", "$group_set", "$set", "$set_once", "alias",
                         "$anon_distinct_id", "$screen_name", "token"]), ANY),
    st.dictionaries(st.sampled_from(["event", "distinct_id", "properties", "uuid", "timestamp", "$set"]), ANY),
)  # fmt: skip


def read_twice(message: Any, reader: Reader) -> None:
    arrived = received(json.dumps(message).encode(), sent_at="2026-03-02T08:00:00Z")
    found = reader(arrived)
    assert found == reader(arrived)
    assert isinstance(found, Incoming | Rejected)
    if isinstance(found, Rejected):
        assert found.code
        assert found.message.endswith((".", "?"))


@given(ANY)
def test_any_json(message: Any) -> None:
    read_twice(message, SEGMENT)
    read_twice(message, POSTHOG)


@given(CALLS)
def test_any_call(message: Any) -> None:
    read_twice(message, SEGMENT)


@given(EVENTS)
def test_any_event_of_posthog(message: Any) -> None:
    read_twice(message, POSTHOG)
