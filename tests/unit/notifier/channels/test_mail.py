"""A notification as a mail."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, WORDS, a_notification

from notifier.adapters.mail import compose, message_id
from notifier.application.ports import Rendered
from notifier.domain.addresses import Mailbox
from notifier.domain.recipients import Recipient

SENDER = Mailbox.parse("Customer Success <cs@vendor.example>")

HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-CSM-Notification",
    "X-CSM-Account",
    "X-CSM-Run",
    "MIME-Version",
    "Content-Type",
}


def received(recipient: Recipient = RECIPIENT, words: Rendered = WORDS, **notification: Any) -> EmailMessage:
    """The mail as it is on the other side of the wire."""
    mail = compose(a_notification(**notification), recipient, words, SENDER, START)
    return message_from_bytes(mail.as_bytes(), policy=default)


def test_headers() -> None:
    mail = received()
    assert set(mail.keys()) == HEADERS
    assert mail["From"] == "Customer Success <cs@vendor.example>"
    assert mail["To"] == "Kim Park <kim@vendor.example>"
    assert mail["Subject"] == "Acme is at risk"
    assert mail["Date"].datetime == START
    assert mail["Message-ID"] == "<n-1@vendor.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail["X-CSM-Notification"], mail["X-CSM-Account"], mail["X-CSM-Run"]) == ("n-1", "acme", "run-1")


def test_the_words_come_plain_and_as_html() -> None:
    mail = received()
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in mail.iter_parts()] == [WORDS.text, WORDS.html]


def test_words_of_the_world_arrive_unharmed() -> None:
    words = Rendered("Müller & Söhne → 44", "Grüße, 世界\n.\n", "<p>Grüße, 世界</p>")
    mail = received(Recipient("contact", "kim@vendor.example", "kim", "Kim Świątek, 世界"), words)
    assert mail["Subject"] == words.subject
    assert mail["To"].addresses[0].display_name == "Kim Świątek, 世界"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().splitlines() == words.text.splitlines()


@settings(deadline=None, max_examples=50)
@given(
    st.text(alphabet=st.characters(codec="utf-8")),
    st.sampled_from(["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x00"]),
)
def test_no_header_can_be_injected(text: str, line_break: str) -> None:
    evil = f"{text}{line_break}Bcc: spy@evil.example{line_break}{line_break}{text}"
    mail = received(
        Recipient("contact", "kim@vendor.example", "kim", evil),
        Rendered(evil, "text", "<p>html</p>"),
        id=evil,
        account_id=evil,
        run_id=evil,
    )
    assert set(mail.keys()) == HEADERS
    assert [each.addr_spec for each in mail["To"].addresses] == ["kim@vendor.example"]


def test_a_message_id_is_the_same_for_every_attempt_and_always_well_formed() -> None:
    assert message_id("a2b-c", "vendor.example") == "<a2b-c@vendor.example>"
    assert message_id("a <b>@\nc", "vendor.example") == "<a--b---c@vendor.example>"
