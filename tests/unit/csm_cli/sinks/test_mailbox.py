"""Mails are decoded once, filtered by recipient, and bounded in number."""

from datetime import UTC, datetime
from email.message import EmailMessage

from csm_cli.sinks.mailbox import Mailbox

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def receive(mailbox: Mailbox, content: bytes, to: str = "anna@acme.example") -> None:
    mailbox.receive(content, sender="csm@example.com", to=[to], now=NOW)


def test_a_mail_is_decoded() -> None:
    message = EmailMessage()
    message["Subject"] = "Grüße an Żaneta"
    message["List-Unsubscribe"] = "<https://example.com/u>"
    message.set_content("Schöne Grüße")
    message.add_alternative("<b>Schöne Grüße</b>", subtype="html")
    mailbox = Mailbox()

    receive(mailbox, message.as_bytes())

    shown = mailbox.mails()[0].as_json()
    assert list(shown) == ["id", "from", "to", "subject", "text", "html", "headers", "received_at"]
    assert shown["from"] == "csm@example.com"
    assert shown["to"] == ["anna@acme.example"]
    assert shown["subject"] == "Grüße an Żaneta"
    assert "Schöne Grüße" in shown["text"]
    assert "<b>Schöne Grüße</b>" in shown["html"]
    assert shown["headers"]["List-Unsubscribe"] == "<https://example.com/u>"
    assert shown["received_at"] == "2026-11-22T00:00:00+00:00"


def test_a_plain_mail_has_no_html() -> None:
    mailbox = Mailbox()

    receive(mailbox, b"Subject: hello\r\n\r\nworld\r\n")

    assert mailbox.mails()[0].html is None
    assert mailbox.mails()[0].text == "world\r\n"


def test_a_mail_in_an_unknown_charset_is_kept_all_the_same() -> None:
    mailbox = Mailbox()

    receive(mailbox, b"Content-Type: text/plain; charset=klingon\r\n\r\nnuqneH\r\n")

    assert "nuqneH" in (mailbox.mails()[0].text or "")


def test_mails_are_filtered_by_recipient_whatever_its_case() -> None:
    mailbox = Mailbox()
    receive(mailbox, b"Subject: one\r\n\r\n", to="Anna@acme.example")
    receive(mailbox, b"Subject: two\r\n\r\n", to="bob@acme.example")

    assert [mail.subject for mail in mailbox.mails(to="anna@ACME.example")] == ["one"]


def test_the_oldest_mails_give_way() -> None:
    mailbox = Mailbox(kept=2)
    for number in range(3):
        receive(mailbox, f"Subject: {number}\r\n\r\n".encode())

    assert [(mail.id, mail.subject) for mail in mailbox.mails()] == [(2, "1"), (3, "2")]
    mailbox.empty()
    assert mailbox.mails() == []
