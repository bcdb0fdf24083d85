"""A message as a mail: what mail programs, filters and receiving systems need beside the words."""

import re
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any

from notifier.application.ports import Attachment, Links, Outgoing
from notifier.domain.addresses import Mailbox

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
_MEDIA_TYPE = re.compile(r"([a-z]+)/([a-z0-9.+-]+)")
_NOT_IN_A_LINK = re.compile(r"[^!-;=?-~]")  # visible ASCII without the brackets that end it
_REFERENCES = 20  # RFC 5322 sets no limit, servers set one to a header: the first and the last of a thread are what counts


class _Tokens(BaseHeader):
    """A header of links or ids: folded between them and never within, nor encoded, as the standard policy does with long ones.

    Nobody decodes them there: a long unsubscribe link would be no link.
    """

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """The value as it is."""
        kwds["parse_tree"], kwds["decoded"] = None, value

    def fold(self, *, policy: Any) -> str:
        """One token a line."""
        return f"{self.name}: {f'{policy.linesep} '.join(self.split())}{policy.linesep}"


def _policy() -> "EmailPolicy[EmailMessage]":
    headers = HeaderRegistry()
    for name in ("in-reply-to", "references", "list-unsubscribe"):
        headers.map_to_type(name, _Tokens)
    return EmailPolicy(linesep=SMTP.linesep, header_factory=headers)


_POLICY = _policy()


def compose(message: Outgoing, sender: Mailbox) -> EmailMessage:
    """The mail. Its Message-ID is the notification's id, so that a mail sent again is known as the same."""
    notification, recipient = message.begun.notification, message.begun.recipient
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(sender)
    mail["To"] = _address(Mailbox(recipient.address, recipient.name or ""))
    mail["Subject"] = one_line(message.words.subject)
    mail["Date"] = message.now
    mail["Message-ID"] = message_id(notification.id, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-CSM-Notification"] = one_line(notification.id)
    mail["X-CSM-Account"] = one_line(notification.account_id)
    mail["X-CSM-Run"] = one_line(notification.run_id)
    _join_thread(mail, [message_id(each, sender.domain) for each in message.begun.thread])
    _offer_a_way_out(mail, message.links)
    mail.set_content(message.words.text)
    if message.words.html is not None:
        mail.add_alternative(message.words.html, subtype="html")
    for each in message.words.attachments:
        _attach(mail, each)
    return mail


def message_id(notification_id: str, domain: str) -> str:
    """`<notification-id@domain>`, the same for every attempt."""
    return f"<{_NOT_IN_AN_ID.sub('-', notification_id)}@{domain}>"


def one_line(text: str) -> str:
    """The text without anything that could end a header."""
    return _BREAKS.sub(" ", text).strip()


def _join_thread(mail: EmailMessage, before: list[str]) -> None:
    """So that mail programs show what belongs together as one conversation."""
    if before:
        mail["In-Reply-To"] = before[-1]
        mail["References"] = " ".join(before[:1] + before[1:][-_REFERENCES:])


def _offer_a_way_out(mail: EmailMessage, links: Links) -> None:
    """The unsubscribe button of mail programs: RFC 2369 and, with one click, RFC 8058."""
    ways = [links.unsubscribe, f"mailto:{links.unsubscribe_mail}" if links.unsubscribe_mail else None]
    told = ", ".join(f"<{_NOT_IN_A_LINK.sub('', each)}>" for each in ways if each)
    if told:
        mail["List-Unsubscribe"] = told
    if links.unsubscribe:
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    known = _MEDIA_TYPE.fullmatch(attachment.media_type.lower())
    main, sub = (
        known.groups()
        if known and known[1] not in ("message", "multipart")
        else ("application", "octet-stream")
    )
    mail.add_attachment(attachment.content, maintype=main, subtype=sub, filename=one_line(attachment.name))


def _address(mailbox: Mailbox) -> Address:
    return Address(one_line(mailbox.name), mailbox.local_part, mailbox.domain)
