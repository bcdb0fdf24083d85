"""Who is asking: the key of a request, checked against the store through a short-lived cache, or a signed token."""

import asyncio
import base64
import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from csm_common.clock import Clock
from csm_common.errors import ForbiddenError, TransientError, UnauthenticatedError
from csm_common.web.keys import IMPLIED, StoredKey, split_token
from csm_common.web.rows import ALL_ROWS, Rows

_CACHE_S = 5.0
_STALE_S = 300.0
_LOOK_UP_S = 2.0
_RETRY_S = 1.0
_CACHE_SIZE = 10_000


class KeySource(Protocol):
    """Where keys are looked up: the KeyStore, or a dictionary in tests."""

    async def load(self, key_id: str) -> StoredKey | None:
        """What is needed to check the key, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is behind a request. `events_per_s` is the key's own limit, None where the general one holds; `rows` are the accounts
    that may be seen."""

    key_id: str
    scopes: frozenset[str]
    source: str
    events_per_s: int | None = None
    rows: Rows = ALL_ROWS

    def may(self, scope: str) -> bool:
        """Whether the key has the scope, one that includes it, or all of them."""
        return scope in self.scopes or "*" in self.scopes or IMPLIED.get(scope) in self.scopes


class TokenReader(Protocol):
    """What reads signed tokens: csm_common.web.tokens.SignedTokens."""

    def principal(self, token: str) -> Principal:
        """Whom the token names; UnauthenticatedError where it is not good."""
        ...


@dataclass(slots=True)
class _Cached:
    """A key as it was at `known_at`, good until `ask_at`; `admitted` is the secret that was found to be its own."""

    key: StoredKey | None
    known_at: float
    ask_at: float
    admitted: tuple[str, Principal] | None = None


class Authenticator:
    """Checks keys. A revocation is obeyed within 5 s; while the database is away, keys seen in the last 5 min go on working."""

    def __init__(
        self,
        source: KeySource,
        clock: Clock,
        *,
        tokens: TokenReader | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` tells whether a key has expired, `monotonic` (in seconds) how old the cache is; signed tokens are taken where
        there are `tokens` to read them."""
        self._source = source
        self._tokens = tokens
        self._clock = clock
        self._monotonic = monotonic
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._looking: dict[str, asyncio.Task[StoredKey | None]] = {}

    async def authenticate(self, request: Request, scope: str, *, limited: bool = False) -> Principal:
        """The principal of the request; UnauthenticatedError or ForbiddenError where it has no right to `scope`."""
        return await self.check(token_of(request.headers.get("authorization")), scope, limited=limited)

    async def check(self, token: str | None, scope: str, *, limited: bool = False) -> Principal:
        """The principal of a token. One that may not see all accounts is let in only where the route looks after that itself
        (`limited`): what knows nothing of rows cannot let them slip."""
        if token is None:
            raise UnauthenticatedError("Send an API key: `Authorization: Bearer csm_…`.")
        principal = await self._principal(token)
        if not principal.may(scope):
            raise ForbiddenError(f"This API key lacks the scope {scope}.")
        if principal.rows.limited and not limited:
            raise ForbiddenError(f"This reaches all accounts; you may see {principal.rows.word()} alone.")
        return principal

    async def _principal(self, token: str) -> Principal:
        parts = split_token(token)
        if parts is not None:
            return self._admitted(*parts) or await self._admit(*parts)
        if self._tokens is None or token.count(".") != 2:
            raise _unknown()
        return self._tokens.principal(token)

    def _admitted(self, key_id: str, secret: str) -> Principal | None:
        """The principal of a key that was checked a moment ago; most requests come with one."""
        cached = self._cache.get(key_id)
        if cached is None or cached.admitted is None or self._monotonic() >= cached.ask_at:
            return None
        known, principal = cached.admitted
        return principal if secret.isascii() and hmac.compare_digest(secret, known) else None

    async def _admit(self, key_id: str, secret: str) -> Principal:
        key = await self._find(key_id)
        if key is None or not key.admits(secret, self._clock.now()):
            raise _unknown()
        principal = Principal(key.key_id, key.scopes, key.source or key.key_id, key.events_per_s, key.rows)
        cached = self._cache.get(key_id)
        if cached is not None and cached.key is key and key.expires_at is None:
            cached.admitted = (secret, principal)
        return principal

    async def _find(self, key_id: str) -> StoredKey | None:
        now = self._monotonic()
        cached = self._cache.get(key_id)
        if cached is not None and now < cached.ask_at:
            return cached.key
        try:
            return await asyncio.wait_for(asyncio.shield(self._look_up(key_id)), _LOOK_UP_S)
        except Exception as error:
            if cached is not None and now - cached.known_at < _STALE_S:
                cached.ask_at = self._monotonic() + _RETRY_S
                return cached.key
            raise TransientError("Keys cannot be checked right now.", code="keys_unavailable") from error

    def _look_up(self, key_id: str) -> asyncio.Task[StoredKey | None]:
        """The look-up of a key, shared by all requests that wait for it; giving up waiting does not cancel it."""
        if key_id not in self._looking:
            task = self._looking[key_id] = asyncio.create_task(self._load(key_id))
            task.add_done_callback(lambda done: self._forget(key_id, done))
        return self._looking[key_id]

    def _forget(self, key_id: str, done: asyncio.Task[StoredKey | None]) -> None:
        del self._looking[key_id]
        if not done.cancelled():
            done.exception()  # looked at here, in case nobody waits any more

    async def _load(self, key_id: str) -> StoredKey | None:
        began = self._monotonic()
        key = await self._source.load(key_id)
        self._cache[key_id] = _Cached(key, began, began + _CACHE_S)
        self._cache.move_to_end(key_id)
        while len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return key


def _unknown() -> UnauthenticatedError:
    return UnauthenticatedError("This API key is unknown, expired or revoked.")


def token_of(header: str | None) -> str | None:
    """The key in an Authorization header: Bearer, or Basic with the key as user name (as analytics SDKs send it)."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
        except ValueError:  # not base64, not ASCII, or not UTF-8 inside
            return None
    return None


_bearer = HTTPBearer(
    auto_error=False,
    description="An API key made by `csm keys create`, or a signed token where the service takes them.",
)


def require(scope: str, *, limited: bool = False) -> Callable[..., Awaitable[Principal]]:
    """A FastAPI dependency: the principal, if it has `scope`.

    `limited`: the route keeps to `principal.rows` itself, or tells nothing of any account. Any other refuses whoever may not see
    all accounts with 403.
    """

    async def principal(request: Request, _: Annotated[object, Depends(_bearer)]) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        return await authenticator.authenticate(request, scope, limited=limited)

    return principal
