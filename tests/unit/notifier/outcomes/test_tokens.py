"""What stands in links and return addresses: only we can make it, and it is good for one thing."""

from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START, ManualClock
from tests.unit.notifier.outcomes.samples import ADDRESSES, ID, KEY

from notifier.adapters.tokens import ReturnAddresses, Tokens
from notifier.application.responses import Claims, Purpose
from notifier.domain.addresses import Mailbox, is_address

TOKENS = Tokens(KEY, ManualClock())
PURPOSES: list[Purpose] = ["unsubscribe", "preferences", "click", "open"]
WHO = Claims(
    notification_id="n-1", account_id="acme", contact_id="c-1", person="ab12", category="news", language="de"
)

texts = st.text(max_size=30) | st.none()
claims = st.builds(
    Claims,
    notification_id=st.text(min_size=1, max_size=40),
    account_id=texts.filter(lambda each: each != ""),
    url=texts.filter(lambda each: each != ""),
    number=st.integers(0, 10_000),
)


@given(claims, st.sampled_from(PURPOSES))
def test_what_was_signed_is_read_again(told: Claims, purpose: Purpose) -> None:
    assert TOKENS.read(TOKENS.sign(told, purpose), purpose) == told


@pytest.mark.parametrize("signed", PURPOSES)
@pytest.mark.parametrize("read", PURPOSES)
def test_a_link_is_good_for_its_own_purpose_alone(signed: Purpose, read: Purpose) -> None:
    assert (TOKENS.read(TOKENS.sign(WHO, signed), read) is not None) is (signed == read)


@given(st.integers(0, 500), st.characters(codec="ascii"))
def test_no_changed_token_is_read(at: int, letter: str) -> None:
    token = TOKENS.sign(WHO, "unsubscribe")
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    found = TOKENS.read(changed, "unsubscribe")
    assert found is None or found == WHO  # the last letter of base64 has bits that nobody reads


@given(st.text(max_size=200))
def test_whatever_comes_as_a_token_is_only_refused(text: str) -> None:
    assert TOKENS.read(text, "unsubscribe") is None


def test_a_token_without_signature_or_of_another_key_is_refused() -> None:
    payload = {"aud": "unsubscribe", "n": "n-1", "p": "ab12"}
    assert TOKENS.read(jwt.encode(payload, "", algorithm="none"), "unsubscribe") is None
    assert TOKENS.read(jwt.encode(payload, b"x" * 32, algorithm="HS256"), "unsubscribe") is None
    assert TOKENS.read(jwt.encode(payload, KEY + KEY, algorithm="HS512"), "unsubscribe") is None


def test_a_token_ends_when_it_was_to_end() -> None:
    clock = ManualClock()
    tokens = Tokens(KEY, clock)
    token = tokens.sign(WHO, "preferences", START + timedelta(days=1))
    clock.advance(timedelta(hours=23, minutes=59))
    assert tokens.read(token, "preferences") == WHO
    clock.advance(timedelta(minutes=1))
    assert tokens.read(token, "preferences") is None


def test_an_overlong_token_is_not_even_looked_at() -> None:
    assert TOKENS.read(TOKENS.sign(Claims(notification_id="n" * 9000), "open"), "open") is None


def test_return_addresses_are_addresses_and_name_their_message() -> None:
    bounces, unsubscribes = ADDRESSES.bounces(ID), ADDRESSES.unsubscribes(ID)
    assert unsubscribes is not None
    assert is_address(bounces)
    assert len(bounces.partition("@")[0]) <= 64
    assert ADDRESSES.read(bounces) == ("bounce", ID)
    assert ADDRESSES.read(unsubscribes.upper()) == ("unsubscribe", ID)


@given(st.from_regex(r"[0-9a-z][0-9a-z-]{0,39}", fullmatch=True))
def test_an_address_is_read_as_what_it_was_made_for_or_was_not_made(id_: str) -> None:
    bounces = ADDRESSES.bounces(id_)
    assert ADDRESSES.read(bounces) == (None if bounces == "bounces@mail.example.com" else ("bounce", id_))
    unsubscribes = ADDRESSES.unsubscribes(id_)
    assert unsubscribes is None or ADDRESSES.read(unsubscribes) == ("unsubscribe", id_)


def test_no_address_is_believed_that_somebody_else_made() -> None:
    genuine, stranger = ADDRESSES.bounces(ID), ReturnAddresses(b"x" * 32, Mailbox("bounces@mail.example.com"))
    assert ADDRESSES.read(stranger.bounces(ID)) is None
    assert ADDRESSES.read(genuine.replace(ID, ID[:-1] + "2")) is None
    assert ADDRESSES.read(genuine.replace("+", "+u-")) is None
    assert ADDRESSES.read(genuine.replace("mail.example.com", "elsewhere.example")) is None


@given(st.text(max_size=80))
def test_any_other_address_is_none_of_ours(text: str) -> None:
    assert ADDRESSES.read(text) is None
    assert ADDRESSES.read(f"bounces+{text}@mail.example.com") is None


@pytest.mark.parametrize("id_", ["Über", "a b", "x" * 41, "UPPER", "u-1", "-1", "1-", ""])
def test_an_id_that_fits_into_no_address_has_the_plain_mailbox(id_: str) -> None:
    assert ADDRESSES.bounces(id_) == "bounces@mail.example.com"
    assert ADDRESSES.unsubscribes(id_) is None


def test_a_long_mailbox_leaves_no_room_for_a_name() -> None:
    long = ReturnAddresses(KEY, Mailbox("undeliverable-mails@mail.example.com"))
    assert long.bounces(ID) == "undeliverable-mails@mail.example.com"
    assert long.unsubscribes(ID) is None
