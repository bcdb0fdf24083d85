"""Who is asking: the key of a request, checked against the store through a short-lived cache."""

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from csm_common.clock import Clock
from csm_common.errors import ForbiddenError, TransientError, UnauthenticatedError
from csm_common.web.keys import StoredKey, split_token

_CACHE_S = 5.0
_STALE_S = 300.0
_CACHE_SIZE = 10_000


class KeySource(Protocol):
    """Where keys are looked up: the KeyStore, or a dictionary in tests."""

    async def load(self, key_id: str) -> StoredKey | None:
        """What is needed to check the key, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """The key behind a request."""

    key_id: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key has the scope, or all of them."""
        return scope in self.scopes or "*" in self.scopes


class Authenticator:
    """Checks keys. A revocation is obeyed within 5 s; while the database is away, keys seen in the last 5 min go on working."""

    def __init__(self, source: KeySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._cache: OrderedDict[str, tuple[float, StoredKey | None]] = OrderedDict()

    async def authenticate(self, request: Request, scope: str) -> Principal:
        """The principal of the request; UnauthenticatedError or ForbiddenError where it has no right to `scope`."""
        return await self.check(token_of(request.headers.get("authorization")), scope)

    async def check(self, token: str | None, scope: str) -> Principal:
        """The principal of a token."""
        if token is None:
            raise UnauthenticatedError("Send an API key: `Authorization: Bearer csm_…`.")
        parts = split_token(token)
        key = await self._find(parts[0]) if parts else None
        if parts is None or key is None or not key.admits(parts[1], self._clock.now()):
            raise UnauthenticatedError("This API key is unknown, expired or revoked.")
        principal = Principal(key.key_id, key.scopes)
        if not principal.may(scope):
            raise ForbiddenError(f"This API key lacks the scope {scope}.")
        return principal

    async def _find(self, key_id: str) -> StoredKey | None:
        now = time.monotonic()
        cached = self._cache.get(key_id)
        if cached is not None and now - cached[0] < _CACHE_S:
            return cached[1]
        try:
            key = await self._source.load(key_id)
        except Exception as error:
            if cached is not None and now - cached[0] < _STALE_S:
                return cached[1]
            raise TransientError("Keys cannot be checked right now.", code="keys_unavailable") from error
        self._cache[key_id] = (now, key)
        self._cache.move_to_end(key_id)
        while len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return key


def token_of(header: str | None) -> str | None:
    """The key in an Authorization header: Bearer, or Basic with the key as user name (as analytics SDKs send it)."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


_bearer = HTTPBearer(auto_error=False, description="An API key made by `csm keys create`.")


def require(scope: str) -> Callable[..., Awaitable[Principal]]:
    """A FastAPI dependency: the principal, if it has `scope`."""

    async def principal(request: Request, _: Annotated[object, Depends(_bearer)]) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        return await authenticator.authenticate(request, scope)

    return principal
