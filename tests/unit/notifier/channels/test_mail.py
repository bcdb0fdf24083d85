"""A notification as a mail."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, WORDS
from tests.unit.notifier.channels.messages import NO_LINKS, outgoing

from notifier.adapters.mail import compose, message_id
from notifier.application.ports import Attachment, Links, Rendered
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
WAYS_OUT = {"List-Unsubscribe", "List-Unsubscribe-Post"}
THREAD = {"In-Reply-To", "References"}


def received(
    recipient: Recipient = RECIPIENT,
    words: Rendered = WORDS,
    links: Links = NO_LINKS,
    thread: tuple[str, ...] = (),
    **notification: Any,
) -> EmailMessage:
    """The mail as it is on the other side of the wire."""
    mail = compose(outgoing(recipient, words, links, thread, **notification), SENDER)
    return message_from_bytes(mail, policy=default)


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
    words = Rendered(subject="Müller & Söhne → 44", text="Grüße, 世界\n.\n", html="<p>Grüße, 世界</p>")
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
        Rendered(
            subject=evil,
            text="text",
            html="<p>html</p>",
            attachments=(Attachment(evil, evil, b"content"),),
        ),
        Links(unsubscribe=f"https://a.example/{evil}", unsubscribe_mail=f"{evil}@vendor.example"),
        (evil, evil),
        id=evil,
        account_id=evil,
        run_id=evil,
    )
    assert set(mail.keys()) == HEADERS | WAYS_OUT | THREAD
    (attached,) = mail.iter_attachments()
    assert set(attached.keys()) <= {
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "MIME-Version",
    }
    assert [each.addr_spec for each in mail["To"].addresses] == ["kim@vendor.example"]


def test_a_message_id_is_the_same_for_every_attempt_and_always_well_formed() -> None:
    assert message_id("a2b-c", "vendor.example") == "<a2b-c@vendor.example>"
    assert message_id("a <b>@\nc", "vendor.example") == "<a--b---c@vendor.example>"


def test_one_click_is_offered_to_whom_may_unsubscribe() -> None:
    mail = received(links=Links(unsubscribe="https://a.example/u/1", unsubscribe_mail="u+1@vendor.example"))
    assert mail["List-Unsubscribe"] == "<https://a.example/u/1>, <mailto:u+1@vendor.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_by_mail_alone_there_is_no_single_click() -> None:
    mail = received(links=Links(unsubscribe_mail="u+1@vendor.example"))
    assert mail["List-Unsubscribe"] == "<mailto:u+1@vendor.example>"
    assert "List-Unsubscribe-Post" not in mail


def test_a_long_way_out_is_not_encoded() -> None:
    """Mail programs read no encoded words there: the header is folded between its parts or not at all."""
    token = "t" * 400
    links = Links(unsubscribe=f"https://a.example/u/{token}", unsubscribe_mail=f"u+{token}@vendor.example")
    raw = compose(outgoing(links=links), SENDER)
    assert f"<https://a.example/u/{token}>".encode() in raw
    assert f"<mailto:u+{token}@vendor.example>".encode() in raw


def test_mails_of_a_run_are_one_conversation() -> None:
    mail = received(thread=("n-a", "n-b"))
    assert mail["In-Reply-To"] == "<n-b@vendor.example>"
    assert mail["References"].split() == ["<n-a@vendor.example>", "<n-b@vendor.example>"]


def test_of_a_long_conversation_the_first_and_the_last_are_named() -> None:
    mail = received(thread=tuple(f"n-{number}" for number in range(100)))
    named = mail["References"].split()
    assert (named[0], named[1], named[-1], len(named)) == (
        "<n-0@vendor.example>", "<n-80@vendor.example>", "<n-99@vendor.example>", 21,
    )  # fmt: skip


def test_long_ids_in_a_conversation_are_not_encoded() -> None:
    ids = tuple(f"{letter * 150}" for letter in "abc")
    raw = compose(outgoing(thread=ids, id="d" * 150), SENDER)
    assert all(f"<{each}@vendor.example>".encode() in raw for each in (*ids, "d" * 150))


def test_attachments_go_beside_the_words() -> None:
    report = Attachment("Übersicht.csv", "text/csv", b"a;b\r\n")
    odd = Attachment("x.bin", "multipart/mixed", b"\x00\xff")
    words = Rendered(subject="Week", text="Here.", html="<p>Here.</p>", attachments=(report, odd))
    mail = received(words=words)
    assert mail.get_content_type() == "multipart/mixed"
    alternative, *attached = mail.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert [each.get_filename() for each in attached] == ["Übersicht.csv", "x.bin"]
    assert [each.get_content_type() for each in attached] == ["text/csv", "application/octet-stream"]
    assert attached[0].get_payload(decode=True) == b"a;b\r\n"


def test_without_html_a_mail_is_plain() -> None:
    assert received(words=Rendered(subject="Hi", text="Plain.")).get_content_type() == "text/plain"


@given(st.text(alphabet="-=a\n", max_size=60))
def test_no_text_ends_its_own_part(text: str) -> None:
    boundary = received().get_boundary()
    evil = f"{text}\n--{boundary}--\n{text}"
    mail = received(words=Rendered(subject="Hi", text=evil, html="<p>Hi</p>"))
    plain, html = mail.iter_parts()
    assert plain.get_content().splitlines() == evil.splitlines()
    assert html.get_content().strip() == "<p>Hi</p>"
