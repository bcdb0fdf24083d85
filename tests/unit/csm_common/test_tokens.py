"""Signed tokens: whom they name, what they may see, and every way in which one is not good."""

from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr, ValidationError
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys

from csm_common.errors import ForbiddenError, UnauthenticatedError
from csm_common.settings import HttpSettings, ServiceSettings
from csm_common.web.auth import Authenticator
from csm_common.web.rows import ALL_ROWS, Rows
from csm_common.web.tokens import SignedTokens, token_reader

SECRET = "s" * 64
LATER, EARLIER = datetime(2100, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)


def signed(key: Any = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A good token of dana, but for the claims told; one that is None is left out."""
    told = {"sub": "dana", "scope": "health:read", "exp": LATER} | claims
    return jwt.encode(
        {name: each for name, each in told.items() if each is not None}, key, algorithm=algorithm
    )


TOKENS = SignedTokens(SECRET, "HS256")


@pytest.mark.parametrize(
    ("claims", "rows"),
    [
        ({}, Rows(owner="dana")),
        ({"csm_rows": "mine"}, Rows(owner="dana")),
        ({"csm_rows": "owner:eli"}, Rows(owner="eli")),
        ({"csm_rows": "team:emea:north"}, Rows(team="emea:north")),
        ({"csm_rows": "all"}, ALL_ROWS),
    ],
    ids=["none", "mine", "owner", "team", "all"],
)
def test_a_token_tells_whose_accounts_may_be_seen(claims: dict[str, Any], rows: Rows) -> None:
    principal = TOKENS.principal(signed(**claims))
    assert (principal.key_id, principal.scopes, principal.rows) == (
        "token:dana",
        frozenset({"health:read"}),
        rows,
    )


@pytest.mark.parametrize(
    "token",
    [
        signed(exp=None),
        signed(exp=EARLIER),
        signed(sub=None),
        signed(sub=" "),
        signed(scope=["health:read"]),
        signed(key="t" * 64),
        signed(algorithm="HS512"),
        signed(key="", algorithm="none"),
        signed(csm_rows="team:"),
        signed(csm_rows=["all"]),
        signed(csm_rows="everything"),
        signed(aud="somebody else"),
        signed(nbf=LATER),
        signed() + "x",
        "a.b.c",
        "..",
    ],
    ids=[
        "no end", "ended", "no subject", "blank subject", "a list of scopes", "another key", "another algorithm", "unsigned",
        "no team", "a list of rows", "unknown rows", "for somebody else", "not yet", "tampered", "no token", "empty",
    ],
)  # fmt: skip
def test_one_that_is_not_good_is_refused(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        TOKENS.principal(token)


def test_issuer_and_audience_are_demanded_where_they_are_told() -> None:
    strict = SignedTokens(SECRET, "HS256", issuer="https://sign-in", audience="csm")
    assert strict.principal(signed(iss="https://sign-in", aud=["csm", "x"])).rows == Rows(owner="dana")
    for claims in ({"iss": "https://sign-in"}, {"aud": "csm"}, {"iss": "other", "aud": "csm"}):
        with pytest.raises(UnauthenticatedError):
            strict.principal(signed(**claims))


def test_a_public_key_reads_what_its_private_key_signed_and_is_no_secret_of_anybody() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    tokens = token_reader(HttpSettings(token_key=SecretStr(public), token_algorithm="ES256"))
    assert tokens is not None
    assert tokens.principal(signed(private, "ES256", csm_rows="all")).rows == ALL_ROWS
    with pytest.raises(UnauthenticatedError):
        tokens.principal(signed(SECRET))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("short", "HS256"),
        ("s" * 32, "HS512"),
        ("-----BEGIN PUBLIC KEY-----" * 3, "HS256"),
        ("s" * 64, "RS256"),
    ],
)
def test_settings_with_a_key_that_does_not_fit_its_algorithm_do_not_start(key: str, algorithm: Any) -> None:
    with pytest.raises(ValidationError, match="token_key"):
        HttpSettings(token_key=SecretStr(key), token_algorithm=algorithm)


def test_a_key_that_does_not_fit_is_not_told() -> None:
    told = {
        "http": {"token_key": "too-short"},
        "database": {"dsn": "postgresql://x"},
        "kafka": {"bootstrap": "x"},
    }
    with pytest.raises(ValidationError, match="token_key") as error:
        ServiceSettings.model_validate(told)
    assert "too-short" not in str(error.value)


async def test_tokens_are_off_unless_a_key_is_told() -> None:
    assert token_reader(HttpSettings()) is None
    with pytest.raises(UnauthenticatedError):
        await Authenticator(MemoryKeys(), ManualClock()).check(signed(), "health:read", limited=True)


async def test_who_may_not_see_all_is_let_in_only_where_the_route_looks_after_that() -> None:
    keys = MemoryKeys()
    authenticator = Authenticator(keys, ManualClock(), tokens=TOKENS)
    for token in (keys.add("emea", scopes=["*"], rows=Rows(team="emea")), signed()):
        assert (await authenticator.check(token, "health:read", limited=True)).rows.limited
        with pytest.raises(ForbiddenError, match=r"team:emea|owner:dana"):
            await authenticator.check(token, "health:read")
    assert not (await authenticator.check(signed(csm_rows="all"), "health:read")).rows.limited
    with pytest.raises(ForbiddenError, match="scope events:write"):
        await authenticator.check(signed(csm_rows="all"), "events:write")
