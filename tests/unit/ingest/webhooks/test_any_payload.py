"""Whatever JSON is signed, the readers answer with a message or a reason, and twice with the same."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.webhooks.samples import received
from tests.unit.ingest.webhooks.test_generic import CALL, hook
from tests.unit.ingest.webhooks.test_intercom import conversation, notification
from tests.unit.ingest.webhooks.test_stripe import event as stripe_event
from tests.unit.ingest.webhooks.test_stripe import invoice, subscription
from tests.unit.ingest.webhooks.test_zendesk import event as zendesk_event
from tests.unit.ingest.webhooks.test_zendesk import ticket

from ingest.application.incoming import Reader
from ingest.application.webhooks.generic import GenericReader
from ingest.application.webhooks.intercom import IntercomReader
from ingest.application.webhooks.stripe import StripeReader
from ingest.application.webhooks.zendesk import ZendeskReader
from ingest.domain.decision import Rejected

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
WHOLE: dict[str, tuple[Reader, list[dict[str, Any]]]] = {
    "stripe": (
        StripeReader(),
        [
            stripe_event("invoice.paid", invoice()),
            stripe_event("customer.subscription.updated", subscription()),
            stripe_event("customer.updated", {"id": "cus_1", "metadata": {"account_id": "acme"}}),
        ],
    ),
    "zendesk": (
        ZendeskReader(),
        [
            zendesk_event("ticket.created", ticket()),
            zendesk_event(
                "ticket.satisfaction_rating_changed", ticket(satisfaction_rating={"score": "good"})
            ),
            zendesk_event("organization.created", {"id": "1", "external_id": "acme"}),
        ],
    ),
    "intercom": (
        IntercomReader(),
        [
            notification("conversation.user.created", conversation()),
            notification("conversation.rating.added", conversation(conversation_rating={"rating": 3})),
            notification("user.created", {"type": "user", "id": "1", "companies": {"companies": []}}),
        ],
    ),
    "generic": (GenericReader(hook()), [CALL, CALL | {"mood": 7}, {"kind": "heartbeat"}]),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something else could stand."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    key, *rest = path
    inner = changed(value[key], tuple(rest), other)
    if isinstance(value, dict):
        return value | {key: inner}
    return [inner if index == key else each for index, each in enumerate(value)]


def check(reader: Reader, body: bytes) -> None:
    """A message with facts that can be written down, or a reason, and the same once more."""
    message = received(body)
    read = reader(message)
    assert read == reader(message)
    if isinstance(read, Rejected):
        assert read.code
        assert read.message
        return
    assert read.id
    assert read.time.tzinfo is not None
    assert len({each.id for each in read.drafts}) == len(read.drafts)
    assert not read.drafts or read.account or read.users or read.fallback
    msgspec.json.encode([each.data for each in read.drafts])


@pytest.mark.parametrize("kind", WHOLE)
@given(st.data())
def test_payloads_that_differ_in_one_place(kind: str, data: st.DataObject) -> None:
    reader, payloads = WHOLE[kind]
    payload = data.draw(st.sampled_from(payloads))
    place = data.draw(st.sampled_from(places(payload)))
    check(reader, json.dumps(changed(payload, place, data.draw(JSON))).encode())


@pytest.mark.parametrize("kind", WHOLE)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(kind: str, body: bytes) -> None:
    check(WHOLE[kind][0], body)
