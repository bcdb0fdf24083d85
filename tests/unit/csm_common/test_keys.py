"""API keys: who gets in, who does not, and what happens while the table of keys cannot be asked."""

import asyncio
import base64
from datetime import timedelta

import pytest
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys

from csm_common.errors import ForbiddenError, TransientError, UnauthenticatedError
from csm_common.web.auth import Authenticator, token_of
from csm_common.web.keys import StoredKey, hash_secret, split_token

SCOPE = "events:write"


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The seconds it was moved to."""
        return self.now


@pytest.fixture
def keys() -> MemoryKeys:
    """The keys that exist."""
    return MemoryKeys()


@pytest.fixture
def clock() -> ManualClock:
    """What keys expire by."""
    return ManualClock()


@pytest.fixture
def seconds() -> Seconds:
    """What the cache ages by."""
    return Seconds()


@pytest.fixture
def authenticator(keys: MemoryKeys, clock: ManualClock, seconds: Seconds) -> Authenticator:
    """The one under test."""
    return Authenticator(keys, clock, monotonic=seconds)


async def test_a_good_key_is_known_by_its_id_and_scopes(
    authenticator: Authenticator, keys: MemoryKeys
) -> None:
    principal = await authenticator.check(keys.add("k1", scopes=[SCOPE]), SCOPE)
    assert (principal.key_id, principal.scopes) == ("k1", frozenset({SCOPE}))


async def test_the_star_is_every_scope(authenticator: Authenticator, keys: MemoryKeys) -> None:
    assert (await authenticator.check(keys.add(scopes=["*"]), SCOPE)).may("health:read")


async def test_a_key_without_the_scope_is_forbidden_and_told_which(
    authenticator: Authenticator, keys: MemoryKeys
) -> None:
    with pytest.raises(ForbiddenError, match=SCOPE):
        await authenticator.check(keys.add(scopes=["health:read"]), SCOPE)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "csm",
        "csm_k1",
        "csm_k1_",
        "csm__secret-of-k1",
        "sk_k1_secret-of-k1",
        "csm_k1_wrong",
        "csm_k2_secret-of-k1",
        "csm_k\x00_secret",
        "csm_ké_secret",
    ],
)
async def test_what_is_no_key_of_ours_is_unauthenticated(
    authenticator: Authenticator, keys: MemoryKeys, token: str | None
) -> None:
    keys.add("k1")
    with pytest.raises(UnauthenticatedError):
        await authenticator.check(token, SCOPE)


async def test_a_key_works_until_it_expires(
    authenticator: Authenticator, keys: MemoryKeys, clock: ManualClock
) -> None:
    token = keys.add(expires_at=START + timedelta(hours=1))
    clock.advance(timedelta(minutes=59))
    await authenticator.check(token, SCOPE)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(UnauthenticatedError):
        await authenticator.check(token, SCOPE)


async def test_a_revocation_is_obeyed_once_the_cache_is_old(
    authenticator: Authenticator, keys: MemoryKeys, seconds: Seconds
) -> None:
    token = keys.add()
    await authenticator.check(token, SCOPE)
    keys.add(revoked=True)
    await authenticator.check(token, SCOPE)
    assert keys.loads == 1
    seconds.now += 5.0
    with pytest.raises(UnauthenticatedError):
        await authenticator.check(token, SCOPE)


async def test_keys_seen_lately_work_on_while_the_table_cannot_be_asked(
    authenticator: Authenticator, keys: MemoryKeys, seconds: Seconds
) -> None:
    token = keys.add()
    await authenticator.check(token, SCOPE)
    keys.away = ConnectionRefusedError("no database")
    for _ in range(4):
        seconds.now += 60.0
        await authenticator.check(token, SCOPE)
    seconds.now += 60.0
    with pytest.raises(TransientError) as error:
        await authenticator.check(token, SCOPE)
    assert error.value.code == "keys_unavailable"

    keys.away = None
    await authenticator.check(token, SCOPE)


async def test_while_the_table_cannot_be_asked_it_is_not_asked_for_every_request(
    authenticator: Authenticator, keys: MemoryKeys, seconds: Seconds
) -> None:
    token = keys.add()
    await authenticator.check(token, SCOPE)
    keys.away = ConnectionRefusedError("no database")
    seconds.now += 10.0
    for _ in range(20):
        await authenticator.check(token, SCOPE)
    assert keys.loads == 2


async def test_a_key_never_seen_is_not_refused_for_our_fault(
    authenticator: Authenticator, keys: MemoryKeys
) -> None:
    keys.away = ConnectionRefusedError("no database")
    with pytest.raises(TransientError):
        await authenticator.check(keys.add(), SCOPE)


async def test_requests_that_come_together_ask_once(authenticator: Authenticator, keys: MemoryKeys) -> None:
    token = keys.add()
    await asyncio.gather(*(authenticator.check(token, SCOPE) for _ in range(50)))
    assert keys.loads == 1


async def test_an_unknown_key_is_remembered_as_unknown(
    authenticator: Authenticator, keys: MemoryKeys
) -> None:
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            await authenticator.check("csm_nobody_x", SCOPE)
    assert keys.loads == 1


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer csm_a_b", "csm_a_b"),
        ("bearer  csm_a_b ", "csm_a_b"),
        ("Basic " + base64.b64encode(b"csm_a_b:").decode(), "csm_a_b"),
        ("basic " + base64.b64encode(b"csm_a_b:ignored").decode(), "csm_a_b"),
        ("Basic " + base64.b64encode(b":").decode(), None),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), None),
        ("Basic ***", None),
        ("Basic caf\xe9", None),
        ("Digest csm_a_b", None),
        ("Bearer", None),
        ("", None),
        (None, None),
    ],
)
def test_where_the_token_is_in_the_header(header: str | None, token: str | None) -> None:
    assert token_of(header) == token


def test_a_secret_is_not_stored_and_may_hold_the_separator() -> None:
    key = StoredKey("k1", hash_secret("a_b"), frozenset(), None, revoked=False)
    assert b"a_b" not in key.secret_hash
    assert split_token("csm_k1_a_b") == ("k1", "a_b")
    assert key.admits("a_b", START)
    assert not key.admits("a_c", START)
