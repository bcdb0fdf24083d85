"""API keys: `csm_<id>_<secret>`, only a hash of the secret at rest, with scopes and an optional expiry.

A secret has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess, and requests stay cheap.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.errors import InvalidError, NotFoundError
from csm_common.web.rows import ALL_ROWS, Rows, parse_rows

SCOPES = (
    "events:write",
    "track:write",
    "ingest:read",
    "ingest:write",
    "erasure:write",
    "health:read",
    "scorecards:write",
    "playbooks:read",
    "playbooks:write",
    "tasks:write",
    "notifications:read",
    "notifications:write",
    "templates:write",
    "subscriptions:write",
    "*",
)
"""What a key may be allowed; `*` is everything. `track:write` is for keys that anyone can read, such as those in web pages:
it opens the analytics SDKs' routes only, which `events:write` opens as well."""

IMPLIED = {"track:write": "events:write"}
"""Scopes that a wider one includes."""

LIMITABLE = frozenset({"health:read"})
"""Scopes whose routes keep to the accounts that a key may see."""

_SOURCE = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    source: str
    events_per_s: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rows: str = "all"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is needed to check a key. `source` names the system that uses it: a key that follows another keeps its source."""

    key_id: str
    secret_hash: bytes
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked: bool
    source: str | None = None
    events_per_s: int | None = None
    rows: Rows = ALL_ROWS

    def admits(self, secret: str, now: datetime) -> bool:
        """Whether `secret` is this key's and the key is in force."""
        fits = hmac.compare_digest(hash_secret(secret), self.secret_hash)
        return fits and not self.revoked and (self.expires_at is None or now < self.expires_at)


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def split_token(token: str) -> tuple[str, str] | None:
    """Key id and secret of a token, or None where it does not look like one of ours."""
    prefix, _, rest = token.partition("_")
    key_id, _, secret = rest.partition("_")
    looks_like_ours = prefix == "csm" and key_id.isascii() and key_id.isalnum() and secret
    return (key_id, secret) if looks_like_ours else None


class KeyStore:
    """The table of keys. Services may only read it; the csm command writes it as an administrator."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        source: str | None = None,
        events_per_s: int | None = None,
        rows: str = "all",
    ) -> str:
        """Make a key and return its token, which cannot be read again later.

        `source` names the system that will use it (its own id unless told), `events_per_s` is a limit of its own, `rows` the
        accounts it may see: all, team:NAME or owner:ID. One that may not see all is for reading accounts alone.
        """
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise InvalidError(f"Unknown scope {unknown[0]!r}; there are {', '.join(SCOPES)}.")
        if source is not None and not _SOURCE.fullmatch(source):
            raise InvalidError(
                "A source has at most 100 letters, digits, dots, dashes and underscores, such as web-app."
            )
        if parse_rows(rows).limited and set(scopes) - LIMITABLE:
            raise InvalidError(
                f"A key for {rows} can have the scope {', '.join(sorted(LIMITABLE))} alone: all others reach every account."
            )
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        async with self._engine.begin() as tx:
            await tx.execute(
                text(
                    "INSERT INTO access.api_keys (key_id, name, secret_hash, scopes, expires_at, source,"
                    " events_per_s, rows) VALUES (:key_id, :name, :secret_hash, :scopes, :expires_at, :source,"
                    " :events_per_s, :rows)"
                ),
                {
                    "key_id": key_id,
                    "name": name,
                    "secret_hash": hash_secret(secret),
                    "scopes": list(scopes),
                    "expires_at": expires_at,
                    "source": source,
                    "events_per_s": events_per_s,
                    "rows": rows,
                },
            )
        return f"csm_{key_id}_{secret}"

    async def list(self) -> list[KeyInfo]:
        """All keys, oldest first."""
        async with self._engine.begin() as tx:
            rows = await tx.execute(
                text(
                    "SELECT key_id, name, scopes, coalesce(source, key_id) AS source, events_per_s, created_at, expires_at,"
                    " revoked_at, rows FROM access.api_keys ORDER BY created_at, key_id"
                )
            )
            return [KeyInfo(**{**row._mapping, "scopes": tuple(row.scopes)}) for row in rows]

    async def revoke(self, key_id: str) -> None:
        """End a key; services notice within their cache's lifetime (seconds)."""
        async with self._engine.begin() as tx:
            done = await tx.execute(
                text(
                    "UPDATE access.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = :key_id"
                ),
                {"key_id": key_id},
            )
            if done.rowcount == 0:
                raise NotFoundError(f"There is no key {key_id!r}; `csm keys list` shows them.")

    async def load(self, key_id: str) -> StoredKey | None:
        """What is needed to check the key, or None."""
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT key_id, secret_hash, scopes, expires_at, revoked_at, source, events_per_s, rows"
                        " FROM access.api_keys WHERE key_id = :id"
                    ),
                    {"id": key_id},
                )
            ).one_or_none()
        if row is None:
            return None
        return StoredKey(
            row.key_id,
            bytes(row.secret_hash),
            frozenset(row.scopes),
            row.expires_at,
            row.revoked_at is not None,
            row.source,
            row.events_per_s,
            parse_rows(row.rows),
        )
