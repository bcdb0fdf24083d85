"""A notification as a mail: what mail programs, filters and receiving systems need beside the words."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from notifier.application.ports import Rendered
from notifier.domain.addresses import Mailbox
from notifier.domain.notification import Notification
from notifier.domain.recipients import Recipient

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")


def compose(
    notification: Notification, recipient: Recipient, words: Rendered, sender: Mailbox, now: datetime
) -> EmailMessage:
    """The mail. Its Message-ID is the notification's id, so that a mail sent again is known as the same."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender)
    mail["To"] = _address(Mailbox(recipient.address, recipient.name or ""))
    mail["Subject"] = one_line(words.subject)
    mail["Date"] = now
    mail["Message-ID"] = message_id(notification.id, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-CSM-Notification"] = one_line(notification.id)
    mail["X-CSM-Account"] = one_line(notification.account_id)
    mail["X-CSM-Run"] = one_line(notification.run_id)
    mail.set_content(words.text)
    mail.add_alternative(words.html, subtype="html")
    return mail


def message_id(notification_id: str, domain: str) -> str:
    """`<notification-id@domain>`, the same for every attempt."""
    return f"<{_NOT_IN_AN_ID.sub('-', notification_id)}@{domain}>"


def one_line(text: str) -> str:
    """The text without anything that could end a header."""
    return _BREAKS.sub(" ", text).strip()


def _address(mailbox: Mailbox) -> Address:
    return Address(one_line(mailbox.name), mailbox.local_part, mailbox.domain)
