"""Mails that come back, as real systems send them, and as nobody should."""

from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.notifier.outcomes.samples import ADDRESSES, ID, mail, names

from notifier.adapters.inbound_mail import InboundMailReader
from notifier.domain.inbound import InboundMail, enhanced_status, never_again, smtp_code

READER = InboundMailReader(ADDRESSES)

# kind, whether the address is bad for good, SMTP's code, the enhanced one, whether our signature is on it
EXPECTED = {
    "exchange_online": ("bounced", True, 550, "5.1.10", True),
    "feedback_report": ("complained", False, None, None, True),
    "gmail": ("bounced", True, 550, "5.1.1", True),
    "mailbox_full": ("bounced", False, 552, "5.2.2", True),
    "no_such_user": ("bounced", True, 550, "5.0.0", True),
    "out_of_office": ("auto_replied", False, None, None, False),
    "postfix": ("bounced", True, 550, "5.1.1", True),
    "postfix_delayed": ("delayed", False, None, "4.4.1", True),
    "qmail": ("bounced", True, None, "5.1.1", True),
    "qmail_queue": ("bounced", False, None, "4.4.7", True),
    "read_receipt": ("auto_replied", False, None, None, False),
    "receipt": ("delivered", False, None, None, True),
    "reply": ("replied", False, None, None, False),
    "spam_filter": ("bounced", False, 554, "5.7.1", True),
    "stranger": ("unknown", False, None, None, False),
    "unsubscribe": ("unsubscribed", False, None, None, True),
    "vacation": ("auto_replied", False, None, None, False),
}


def test_every_sample_has_its_expectation() -> None:
    assert names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_mail_is_taken_for_what_it_is(name: str) -> None:
    found = READER.read(mail(name), None)
    told = (found.kind, found.hard, found.code, found.status, found.proven == ID)
    assert told == EXPECTED[name]
    assert found.proven in (None, ID)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_line_ends_of_the_wire_change_nothing(name: str) -> None:
    on_the_wire = mail(name).replace(b"\n", b"\r\n")
    assert READER.read(on_the_wire, None).kind == EXPECTED[name][0]


@pytest.mark.parametrize(
    "name",
    [
        "exchange_online",
        "feedback_report",
        "gmail",
        "out_of_office",
        "postfix",
        "postfix_delayed",
        "qmail",
        "reply",
    ],
)
def test_headers_name_the_message_where_no_signature_does(name: str) -> None:
    found = InboundMailReader().read(mail(name), None)
    assert found.proven is None
    assert ID in found.named


def test_the_envelope_proves_what_the_headers_do_not() -> None:
    anonymous = mail("mailbox_full").replace(ADDRESSES.bounces(ID).encode(), b"undisclosed")
    assert READER.read(anonymous, None).proven is None
    assert READER.read(anonymous, ADDRESSES.bounces(ID)).proven == ID


def test_a_forged_signature_proves_nothing() -> None:
    forged = mail("postfix").replace(
        ADDRESSES.bounces(ID).encode(), f"bounces+{ID}-aaaaaaaaaaaa@mail.example.com".encode()
    )
    found = READER.read(forged, None)
    assert (found.kind, found.proven) == ("bounced", None)
    assert ID in found.named


def test_a_machine_at_the_unsubscribing_address_is_not_obeyed() -> None:
    answered = b"Auto-Submitted: auto-replied\n" + mail("unsubscribe")
    assert READER.read(answered, None).kind == "auto_replied"


def test_a_mail_is_known_again_by_its_message_id() -> None:
    once, again = mail("postfix"), b"Received: by another.example\n" + mail("postfix")
    assert READER.read(once, None).key == READER.read(again, None).key
    assert READER.read(once, None).key != READER.read(mail("gmail"), None).key


@pytest.mark.parametrize(
    ("status", "diagnostic", "hard"),
    [
        ("5.1.1", "", True),
        ("5.1.2", "", True),
        ("5.2.1", "", True),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", True),
        ("5.0.0", "550 User unknown", True),
        ("5.0.0", "550 5.1.1 unknown", True),
        (None, "550 this account has been disabled", True),
        ("5.2.2", "user unknown to the quota", False),
        ("5.7.1", "550 5.7.1 relaying denied", False),
        ("5.0.0", "554 rejected as spam", False),
        ("4.4.1", "user unknown", False),
        ("5.0.0", "450 4.2.1 user unknown for now", False),
        (None, "", False),
    ],
    ids=str,
)
def test_only_what_is_about_the_address_itself_lasts(
    status: str | None, diagnostic: str, *, hard: bool
) -> None:
    assert never_again(status, diagnostic) is hard


def test_codes_are_found_in_prose_and_host_addresses_are_none() -> None:
    assert enhanced_status("host 5.1.1.5 said: (#4.4.3) and 5.1.1") == "4.4.3"
    assert smtp_code("host 10.550.1.2 said: 550-5.1.1 no") == 550
    assert (enhanced_status("nothing"), smtp_code("nothing 5501")) == (None, None)


# ---- what nobody should send


def nested(depth: int) -> bytes:
    """Parts in parts."""
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number)
        for number in range(depth)
    )
    return opened + b"\nhello\n"


HOSTILE = {
    "nothing": b"",
    "zeros": b"\0" * 1000,
    "deep": nested(2000),
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 3000,
    "a huge header": b"Subject: " + b"x" * 900_000 + b"\n\nhello",
    "many headers": b"References: <a@b>\n" * 50_000 + b"\n",
    "many addresses": b"To: " + b"bounces+a-bbbbbbbbbbbb@mail.example.com, " * 20_000 + b"\n\n",
    "a bad charset": b"Content-Type: text/plain; charset=klingon\nFrom: MAILER-DAEMON\n\n\xff\xfe undeliverable",
    "bad encoded words": b"From: =?klingon?b?!!!?= <x>\nIn-Reply-To: =?utf-8?q?=ff?=\nMessage-ID: \xff\xfe\n\n",
    "bad base64": b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n"
    b"Content-Transfer-Encoding: base64\n\n!!!\n--b--\n",
    "no boundary": b"Content-Type: multipart/report; report-type=delivery-status\n\nAction: failed\n",
    "a report of a report": b"Content-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n\n",
    "continued lines": b"Subject: a\n" + b" \n" * 100_000,
    "dots": b"From: MAILER-DAEMON\n\n" + b"5.1." * 200_000,
    "blank lines": b"Content-Type: message/delivery-status\n\n" + b"\n \t" * 100_000,
    "angle brackets": b"In-Reply-To: " + b"<" * 500_000 + b"\n\n",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_mail_is_only_read(name: str) -> None:
    found = READER.read(HOSTILE[name], None)
    assert found.proven is None
    assert not found.hard


@given(st.binary(max_size=2000))
def test_whatever_comes_is_read(raw: bytes) -> None:
    assert READER.read(raw, None).proven is None


lines = st.sampled_from(
    [
        "Content-Type: multipart/report; boundary=b",
        "Content-Type: message/delivery-status",
        "Content-Type: message/feedback-report",
        "Content-Type: message/rfc822",
        "Content-Type: text/rfc822-headers",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Type: text/plain; charset=utf-16",
        "From: MAILER-DAEMON",
        "Return-Path: <>",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no",
        f"Message-ID: <{ID}@vendor.example>",
        "In-Reply-To: <=?utf-8?q?x?=>",
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "--b",
        "--b--",
        "",
        " folded",
        "=C3",
        "\udcff",
    ]
)


@settings(max_examples=300)
@given(st.lists(lines, max_size=40), st.sampled_from(["\n", "\r\n", "\r"]))
@example(
    ["From: MAILER-DAEMON", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "x"],
    "\n",
)
def test_broken_mails_of_mail_systems_are_read(parts: list[str], end: str) -> None:
    found = READER.read(end.join(parts).encode("utf-8", "surrogateescape"), None)
    assert isinstance(found, InboundMail)
    assert found.proven is None


@given(st.sampled_from(sorted(EXPECTED)), st.integers(0, 3000), st.binary(max_size=20))
def test_a_damaged_sample_is_read_and_proves_nothing_about_others(name: str, at: int, damage: bytes) -> None:
    raw = mail(name)
    at %= len(raw)
    assert READER.read(raw[:at] + damage + raw[at + len(damage) :], None).proven in (None, ID)


def test_a_mail_of_the_library_itself_is_read() -> None:
    made = EmailMessage()
    made["From"], made["To"], made["In-Reply-To"] = (
        "jo@customer.example",
        "team@vendor.example",
        f"<{ID}@vendor.example>",
    )
    made.set_content("Gern!\n", charset="utf-8")
    found = READER.read(made.as_bytes(), None)
    assert (found.kind, found.named) == ("replied", (ID,))


@pytest.mark.parametrize("id_", ["a\0b", "\udcff", "ü", "a b", ""], ids=ascii)
def test_an_id_that_none_of_ours_looks_like_is_not_looked_for(id_: str) -> None:
    raw = f"In-Reply-To: <{id_}@vendor.example>\n\n".encode("utf-8", "surrogateescape")
    assert id_ not in READER.read(raw, None).named
    assert all(each.isascii() and each.isprintable() for each in READER.read(raw, None).named)
