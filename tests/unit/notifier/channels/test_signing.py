"""Signatures, verified with the library that receivers use."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from notifier.adapters.signing import signed

OLD, NEW, OTHER = ("whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(3))


def test_receivers_with_the_old_and_with_the_new_secret_both_trust_a_message() -> None:
    headers = signed([NEW, OLD], "n-1", datetime.now(UTC), b'{"a": 1}')
    assert Webhook(OLD).verify(b'{"a": 1}', headers) == {"a": 1}
    assert Webhook(NEW).verify(b'{"a": 1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(b'{"a": 1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(b'{"a": 2}', headers)


def test_without_secrets_there_is_no_signature() -> None:
    assert set(signed([], "n-1", datetime.now(UTC), b"")) == {"webhook-id", "webhook-timestamp"}


@given(st.text(min_size=1))
def test_the_id_is_a_header_whatever_it_was_and_the_same_every_time(id_: str) -> None:
    now = datetime.now(UTC)
    headers = signed([NEW], id_, now, b"{}")
    assert headers["webhook-id"] == signed([OLD], id_, now, b"[]")["webhook-id"]
    assert all("!" <= each <= "~" for each in headers["webhook-id"])
    Webhook(NEW).verify(b"{}", headers)


def test_usual_ids_stay_as_they_are() -> None:
    id_ = "run-1:tell_owner/0.5"
    assert signed([], id_, datetime.now(UTC), b"")["webhook-id"] == id_
