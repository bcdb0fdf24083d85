"""Signed tokens (JWT) of the company's own sign-in, beside API keys: who it is, what they may do, and whose accounts they see.

The algorithm is the settings' own and never the token's; a token must end (`exp`) and name somebody (`sub`). `scope` holds
scopes separated by spaces (RFC 8693); `csm_rows` is all, team:NAME, owner:ID, or `mine`: the accounts whose owner is `sub`, which
is also what a token without it may see.
"""

from typing import Any

import jwt

from csm_common.errors import InvalidError, UnauthenticatedError
from csm_common.settings import HttpSettings
from csm_common.web.auth import Principal
from csm_common.web.rows import Rows, parse_rows

_LEEWAY_S = 10
"""How far the clocks of the one who signs and of ours may be apart."""


class SignedTokens:
    """Reads tokens that are signed with one key by one algorithm."""

    def __init__(
        self, key: str, algorithm: str, *, issuer: str | None = None, audience: str | None = None
    ) -> None:
        """`key` is the shared secret (HS…) or the public key as PEM. `issuer` and `audience` are demanded where they are told."""
        self._key = key
        self._algorithm = algorithm
        self._issuer = issuer
        self._audience = audience

    def principal(self, token: str) -> Principal:
        """Whom the token names; UnauthenticatedError, with the reason, where it is not good."""
        claims = self._claims(token)
        subject, scope = claims["sub"], claims.get("scope", "")
        if not subject.strip() or "\x00" in subject or not isinstance(scope, str):
            raise UnauthenticatedError(
                "The token's sub must name somebody, and its scope be one text with spaces between scopes."
            )
        name = f"token:{subject}"
        return Principal(
            name, frozenset(scope.split()), name, rows=_rows(claims.get("csm_rows", "mine"), subject)
        )

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"The signed token is not good: {error}.") from error


def _rows(word: Any, subject: str) -> Rows:
    if word == "mine":
        return Rows(owner=subject)
    try:
        return parse_rows(str(word))
    except InvalidError as error:
        raise UnauthenticatedError(f"The token's csm_rows: {error.message}") from error


def token_reader(settings: HttpSettings) -> SignedTokens | None:
    """What reads the tokens that the settings allow; None where they name no key."""
    if settings.token_key is None:
        return None
    return SignedTokens(
        settings.token_key.get_secret_value(),
        settings.token_algorithm,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
    )
