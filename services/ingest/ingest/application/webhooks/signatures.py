"""Whether a delivery comes from who shares the secret: signatures over its bytes, compared in constant time.

A verifier is a pure function of the headers (names in lower case), the body, the secrets and now. Several secrets are valid
while one is being replaced by another. The signature is checked before its age, so a stranger learns nothing of our clock.
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from ingest.domain.decision import Rejected

Headers = Mapping[str, str]
Verify = Callable[[Headers, bytes, Sequence[bytes], datetime], Rejected | None]

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9-]+)\}")
_STRIPE_HEADER = "stripe-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A keyed hash in a header, several of them separated by spaces.

    `template` says what is signed: `{body}`, `{timestamp}` for the value of `timestamp_header`, and any other header by its
    name. With a `timestamp_header` a delivery may be `tolerance` old, or as far ahead of our clock.
    """

    header: str
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    template: str = "{body}"
    timestamp_header: str | None = None
    tolerance: timedelta = timedelta(seconds=300)

    def __call__(
        self, headers: Headers, body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Rejected | None:
        """None where a signature is right and fresh."""
        needed = (self.header, *self._signed_headers())
        for name in needed:
            if name not in headers:
                return _missing(name)
        signatures = [
            each.removeprefix(self.prefix)
            for each in headers[self.header].split()
            if each.startswith(self.prefix)
        ]
        if self.encoding == "hex":
            signatures = [each.lower() for each in signatures]
        expected = [self._sign(self._signed(headers, body), secret) for secret in secrets]
        if not _any_equal(expected, signatures):
            return _wrong(self.header)
        if self.timestamp_header is None:
            return None
        return _stale(headers[self.timestamp_header], now, self.tolerance)

    def _signed_headers(self) -> tuple[str, ...]:
        named = [name for name in _PLACEHOLDER.findall(self.template) if name not in ("body", "timestamp")]
        return (*named, self.timestamp_header) if self.timestamp_header else tuple(named)

    def _signed(self, headers: Headers, body: bytes) -> bytes:
        pieces = _PLACEHOLDER.split(self.template)  # text, name, text, name … text
        values = [
            body if name == "body" else headers[self._header_of(name)].encode() for name in pieces[1::2]
        ]
        return pieces[0].encode() + b"".join(
            value + text.encode() for value, text in zip(values, pieces[2::2], strict=True)
        )

    def _header_of(self, name: str) -> str:
        return self.timestamp_header or name if name == "timestamp" else name

    def _sign(self, content: bytes, secret: bytes) -> str:
        digest = hmac.digest(secret, content, self.algorithm)
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()


def zendesk_scheme(tolerance: timedelta) -> Verify:
    """base64(HMAC-SHA256(secret, timestamp + body)), with the timestamp in a header of its own."""
    return Scheme(
        header="x-zendesk-webhook-signature",
        encoding="base64",
        template="{timestamp}{body}",
        timestamp_header="x-zendesk-webhook-signature-timestamp",
        tolerance=tolerance,
    )


def intercom_scheme() -> Verify:
    """sha1=hex(HMAC-SHA1(client secret, body)). It tells no time: a repeat is harmless, since its id is known."""
    return Scheme(header="x-hub-signature", algorithm="sha1", prefix="sha1=")


def stripe_scheme(tolerance: timedelta) -> Verify:
    """`t=…,v1=hex(HMAC-SHA256(secret, "t.body"))` in one header, with a v1 for every secret that is valid."""

    def verify(headers: Headers, body: bytes, secrets: Sequence[bytes], now: datetime) -> Rejected | None:
        if _STRIPE_HEADER not in headers:
            return _missing(_STRIPE_HEADER)
        members = [each.strip().partition("=") for each in headers[_STRIPE_HEADER].split(",")]
        timestamp = next((value for name, _, value in members if name == "t"), "")
        signatures = [value for name, _, value in members if name == "v1"]
        signed = timestamp.encode() + b"." + body
        expected = [hmac.digest(secret, signed, "sha256").hex() for secret in secrets]
        if not _any_equal(expected, signatures):
            return _wrong(_STRIPE_HEADER)
        return _stale(timestamp, now, tolerance)

    return verify


def _any_equal(expected: Sequence[str], signatures: Sequence[str]) -> bool:
    equal = [hmac.compare_digest(right.encode(), told.encode()) for right in expected for told in signatures]
    return any(equal)


def _stale(timestamp: str, now: datetime, tolerance: timedelta) -> Rejected | None:
    told = _instant(timestamp)
    if told is None:
        return Rejected("invalid_signature", f"The signature's timestamp {timestamp[:40]!r} is no time.")
    if abs(now - told) > tolerance:
        return Rejected(
            "stale_signature",
            f"The delivery was signed at {told.isoformat()}, more than {tolerance.total_seconds():g} s away from now"
            f" ({now.isoformat()}). Check both clocks, or let the sender deliver it anew.",
        )
    return None


def _instant(timestamp: str) -> datetime | None:
    """Seconds since 1970, or ISO 8601 as Zendesk writes it; UTC where no zone is told."""
    try:
        if timestamp.isdecimal():
            return datetime.fromtimestamp(int(timestamp), UTC)
        told = datetime.fromisoformat(timestamp)
    except (ValueError, OverflowError, OSError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _missing(header: str) -> Rejected:
    return Rejected("missing_signature", f"The header {header} is missing: only signed deliveries are taken.")


def _wrong(header: str) -> Rejected:
    return Rejected(
        "invalid_signature",
        f"No signature in {header} is that of this body with a secret of this webhook. Compare the secrets on both sides.",
    )
