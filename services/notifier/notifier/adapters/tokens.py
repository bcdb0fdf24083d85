"""What stands in mails and comes back from anywhere: tokens in links and signed return addresses, made of one key."""

import base64
import hmac
import re
from dataclasses import asdict, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import jwt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from notifier.application.responses import Claims, Purpose
from notifier.domain.addresses import Mailbox, is_address

_ALGORITHM = "HS256"
_LONGEST = 8192
_SHORT = {
    "notification_id": "n",
    "account_id": "a",
    "contact_id": "c",
    "person": "p",
    "category": "g",
    "language": "l",
    "url": "u",
    "number": "i",
}
assert _SHORT.keys() == {each.name for each in fields(Claims)}  # noqa: S101  (a field without a name would be lost)

_PLAIN_ID = re.compile(r"[0-9a-z](?:[0-9a-z-]{0,38}[0-9a-z])?")
_SIGNED = re.compile(r"(u-)?([0-9a-z-]{1,40})-([a-z2-7]{12})")
_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1

ReturnKind = Literal["bounce", "unsubscribe"]


async def link_key(engine: AsyncEngine) -> bytes:
    """The key that signs, as the migration made it; the same in every process."""
    async with engine.connect() as connection:
        return bytes(await connection.scalar(text("SELECT key FROM keys WHERE name = 'links'")))


class Tokens:
    """JSON web tokens (RFC 7519), signed with HMAC-SHA-256; the purpose is their audience."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def sign(self, claims: Claims, purpose: Purpose, expires_at: datetime | None = None) -> str:
        """The token. The same claims give the same token."""
        payload: dict[str, Any] = {"aud": purpose}
        payload |= {_SHORT[name]: value for name, value in asdict(claims).items() if value}
        if expires_at is not None:
            payload["exp"] = int(expires_at.timestamp())
        return jwt.encode(payload, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, purpose: Purpose) -> Claims | None:
        """What it says; None where it is forged, damaged, expired or for another purpose."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        try:
            # Our clock tells the time, not the library's, so that tests and service agree on it.
            payload = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=purpose, options={"verify_exp": False}
            )
        except jwt.PyJWTError:
            return None
        if "exp" in payload and self._clock.now() >= datetime.fromtimestamp(payload["exp"], UTC):
            return None
        return Claims(**{name: payload[short] for name, short in _SHORT.items() if short in payload})


class ReturnAddresses:
    """Sub-addresses of one mailbox that name a notification and prove that we made them (variable envelope return paths).

    `bounces+<id>-<mac>@…` for what cannot be delivered, `bounces+u-<id>-<mac>@…` for whom wants no more. The code has 60 bits, of
    letters that survive a change of case.
    """

    def __init__(self, key: bytes, mailbox: Mailbox) -> None:
        self._key = key
        self._mailbox = mailbox

    def bounces(self, notification_id: str) -> str:
        """Where bounces of it go; the plain mailbox where its id does not fit into an address."""
        return self._signed("bounce", notification_id) or self._mailbox.address

    def unsubscribes(self, notification_id: str) -> str | None:
        """Where a mail that wants no more of it goes; None where its id does not fit into an address."""
        return self._signed("unsubscribe", notification_id)

    def read(self, address: str) -> tuple[ReturnKind, str] | None:
        """What one of our addresses was made for, and the notification; None for any other address."""
        local, _, domain = address.lower().rpartition("@")
        ours, plus, detail = local.partition("+")
        if not plus or (ours, domain) != (self._mailbox.local_part.lower(), self._mailbox.domain.lower()):
            return None
        found = _SIGNED.fullmatch(detail)
        if found is None:
            return None
        kind: ReturnKind = "unsubscribe" if found.group(1) else "bounce"
        genuine = hmac.compare_digest(found.group(3), self._code(kind, found.group(2)))
        return (kind, found.group(2)) if genuine else None

    def _signed(self, kind: ReturnKind, notification_id: str) -> str | None:
        if not _PLAIN_ID.fullmatch(notification_id) or notification_id.startswith("u-"):
            return None
        mark = "u-" if kind == "unsubscribe" else ""
        local = f"{self._mailbox.local_part}+{mark}{notification_id}-{self._code(kind, notification_id)}"
        address = f"{local}@{self._mailbox.domain}"
        return address if len(local) <= _LONGEST_LOCAL_PART and is_address(address) else None

    def _code(self, kind: ReturnKind, notification_id: str) -> str:
        mac = hmac.digest(self._key, f"return\x1f{kind}\x1f{notification_id}".encode(), sha256)
        return base64.b32encode(mac)[:12].decode().lower()
