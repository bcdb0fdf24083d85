"""Signatures: the vendors' own vectors and tools, several secrets, clocks that differ, and any byte that is not as it was."""

import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.webhooks.samples import sample

from ingest.application.webhooks.signatures import (
    Scheme,
    Verify,
    intercom_scheme,
    stripe_scheme,
    zendesk_scheme,
)
from ingest.domain.decision import Rejected

FIVE_MINUTES = timedelta(minutes=5)
STRIPE = stripe_scheme(FIVE_MINUTES)
ZENDESK = zendesk_scheme(FIVE_MINUTES)
INTERCOM = intercom_scheme()
OWN = Scheme(
    header="x-signature",
    algorithm="sha512",
    prefix="sha512=",
    template="{timestamp}.{body}",
    timestamp_header="x-timestamp",
)
Signs = Callable[[bytes, bytes], dict[str, str]]
SIGNED_AT = 1_700_000_000
NOW = datetime.fromtimestamp(SIGNED_AT, UTC)
SECRET = b"a secret"
BODY = b'{"id": "evt_1"}'


def stripe_headers(body: bytes, secret: bytes = SECRET, at: int = SIGNED_AT) -> dict[str, str]:
    """As Stripe's own library signs."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret.decode(), at)
    return {"stripe-signature": header}


def zendesk_headers(body: bytes, secret: bytes = SECRET, timestamp: str = str(SIGNED_AT)) -> dict[str, str]:
    digest = hmac.digest(secret, timestamp.encode() + body, "sha256")
    return {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": timestamp,
    }


def intercom_headers(body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    return {"x-hub-signature": "sha1=" + hmac.digest(secret, body, "sha1").hex()}


def own_headers(body: bytes, secret: bytes = SECRET, timestamp: str = str(SIGNED_AT)) -> dict[str, str]:
    digest = hmac.digest(secret, timestamp.encode() + b"." + body, "sha512")
    return {"x-signature": "sha512=" + digest.hex(), "x-timestamp": timestamp}


def problem(verify: Verify, headers: dict[str, str], body: bytes = BODY, now: datetime = NOW) -> str | None:
    """The code a delivery is refused with."""
    refused = verify(headers, body, [SECRET], now)
    return refused.code if isinstance(refused, Rejected) else None


def test_stripe_vector() -> None:
    body = b'{"id":"evt_1","object":"event","type":"invoice.payment_failed"}'
    right = "a4559c95478fd942bfda646b1b466d9d47068521a88713307ef60408dea8d68e"
    headers = {"stripe-signature": f"t={SIGNED_AT},v1={right}"}
    assert STRIPE(headers, body, [b"whsec_test"], NOW) is None
    assert STRIPE(headers, body + b" ", [b"whsec_test"], NOW) is not None


def test_zendesk_vector() -> None:
    headers = {
        "x-zendesk-webhook-signature": "10IqYzYTLHRftNsNE+im0DeOM6/JactIRuy0XCHJ9B8=",
        "x-zendesk-webhook-signature-timestamp": "1234",
    }
    body = sample("zendesk/group_membership_created.json")
    secret = b"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    assert ZENDESK(headers, body, [secret], datetime.fromtimestamp(1234, UTC)) is None
    stale = ZENDESK(headers, body, [secret], NOW)
    assert stale is not None
    assert stale.code == "stale_signature"


def test_zendesk_writes_its_timestamp_as_iso_8601() -> None:
    headers = zendesk_headers(BODY, timestamp=NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert problem(ZENDESK, headers) is None
    assert problem(ZENDESK, headers, now=NOW + timedelta(hours=1)) == "stale_signature"


def test_intercom_signs_the_body_alone() -> None:
    assert problem(INTERCOM, intercom_headers(BODY)) is None
    assert problem(INTERCOM, intercom_headers(BODY), now=NOW + timedelta(days=400)) is None


@pytest.mark.parametrize("verify", [STRIPE, ZENDESK, INTERCOM, OWN])
def test_without_a_signature(verify: Verify) -> None:
    assert problem(verify, {}) == "missing_signature"


@pytest.mark.parametrize(
    ("verify", "headers"),
    [
        (STRIPE, {"stripe-signature": ""}),
        (STRIPE, {"stripe-signature": f"t={SIGNED_AT}"}),
        (STRIPE, {"stripe-signature": "v1=é,t=²"}),
        (ZENDESK, {"x-zendesk-webhook-signature": "", "x-zendesk-webhook-signature-timestamp": ""}),
        (INTERCOM, {"x-hub-signature": hmac.digest(SECRET, BODY, "sha1").hex()}),
        (OWN, {"x-signature": "sha512=", "x-timestamp": str(SIGNED_AT)}),
    ],
)
def test_what_is_no_signature(verify: Verify, headers: dict[str, str]) -> None:
    assert problem(verify, headers) == "invalid_signature"


@pytest.mark.parametrize("timestamp", ["soon", "", "9" * 30, "²"])
def test_a_signed_timestamp_that_is_no_time(timestamp: str) -> None:
    assert problem(OWN, own_headers(BODY, timestamp=timestamp)) == "invalid_signature"


@pytest.mark.parametrize(
    ("verify", "signed"),
    [
        (STRIPE, stripe_headers),
        (ZENDESK, zendesk_headers),
        (INTERCOM, intercom_headers),
        (OWN, own_headers),
    ],
)
def test_any_of_several_secrets(verify: Verify, signed: Signs) -> None:
    headers = signed(BODY, b"the old one")
    assert verify(headers, BODY, [b"the new one", b"the old one"], NOW) is None
    assert verify(headers, BODY, [b"the new one"], NOW) is not None


def test_stripe_signs_with_both_secrets_while_one_replaces_the_other() -> None:
    right = stripe_headers(BODY)["stripe-signature"]
    headers = {"stripe-signature": f"t={SIGNED_AT},v1={'0' * 64},{right.partition(',')[2]},v0=old"}
    assert problem(STRIPE, headers) is None


def test_several_signatures_in_one_header_of_ones_own() -> None:
    headers = own_headers(BODY)
    both = headers | {"x-signature": f"sha512={'0' * 128} {headers['x-signature']}"}
    assert problem(OWN, both) is None


@pytest.mark.parametrize("away", [timedelta(seconds=300), timedelta(seconds=-300)])
@pytest.mark.parametrize(("verify", "signed"), [(STRIPE, stripe_headers), (OWN, own_headers)])
def test_the_tolerance_ends_after_five_minutes(verify: Verify, signed: Signs, away: timedelta) -> None:
    headers = signed(BODY, SECRET)
    assert problem(verify, headers, now=NOW + away) is None
    assert problem(verify, headers, now=NOW + away * 1.01) == "stale_signature"


def test_hexadecimal_digits_of_either_size() -> None:
    headers = own_headers(BODY)
    digits = headers["x-signature"].removeprefix("sha512=")
    assert problem(OWN, headers | {"x-signature": f"sha512={digits.upper()}"}) is None
    base64_headers = zendesk_headers(BODY)
    signature = base64_headers["x-zendesk-webhook-signature"]
    lowered = base64_headers | {"x-zendesk-webhook-signature": signature.lower()}
    assert problem(ZENDESK, lowered) == "invalid_signature"


def test_a_stranger_does_not_learn_of_our_clock() -> None:
    headers = {"stripe-signature": f"t={SIGNED_AT},v1={'0' * 64}"}
    assert problem(STRIPE, headers, now=NOW + timedelta(days=1)) == "invalid_signature"


def test_standard_webhooks_are_a_scheme_of_that_kind() -> None:
    scheme = Scheme(
        header="webhook-signature",
        encoding="base64",
        prefix="v1,",
        template="{webhook-id}.{timestamp}.{body}",
        timestamp_header="webhook-timestamp",
    )
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    now = datetime.fromtimestamp(1614265330, UTC)
    assert scheme(headers, b'{"test": 2432232314}', [secret], now) is None
    unnamed = {name: value for name, value in headers.items() if name != "webhook-id"}
    refused = scheme(unnamed, b'{"test": 2432232314}', [secret], now)
    assert refused is not None
    assert "webhook-id" in refused.message


@given(body=st.binary(), secret=st.binary(min_size=1), place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_body_is_verified_and_no_flipped_bit_is(body: bytes, secret: bytes, place: int, bit: int) -> None:
    for verify, headers in (
        (ZENDESK, zendesk_headers(body, secret)),
        (INTERCOM, intercom_headers(body, secret)),
        (OWN, own_headers(body, secret)),
    ):
        assert verify(headers, body, [secret], NOW) is None
        if body:
            other = bytearray(body)
            other[place % len(body)] ^= 1 << bit
            assert verify(headers, bytes(other), [secret], NOW) is not None


@given(body=st.text(), place=st.integers(min_value=0))
def test_any_text_that_stripe_signs(body: str, place: int) -> None:
    raw = body.encode(errors="replace")
    headers = stripe_headers(raw)
    assert problem(STRIPE, headers, raw) is None
    other = bytearray(raw + b"x")
    other[place % len(other)] ^= 1
    assert problem(STRIPE, headers, bytes(other)) == "invalid_signature"


@given(st.text(), st.text())
def test_any_header_gets_an_answer(signature: str, timestamp: str) -> None:
    assert problem(STRIPE, {"stripe-signature": signature}) is not None
    zendesk = {
        "x-zendesk-webhook-signature": signature,
        "x-zendesk-webhook-signature-timestamp": timestamp,
    }
    assert problem(ZENDESK, zendesk) is not None
