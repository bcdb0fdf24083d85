"""A message as a mail: what mail programs, filters and receiving systems need beside the words.

Composed by the library's older classes: the newer ones parse every header that is set, and take as long for one mail as a mail
server does for three. So every value is made safe before it is set.
"""

import re
from email import encoders
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr

from notifier.application.ports import Attachment, Links, Outgoing, Rendered
from notifier.domain.addresses import Mailbox

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
_MEDIA_TYPE = re.compile(r"([a-z]+)/([a-z0-9.+-]+)")
_NOT_IN_A_LINK = re.compile(r"[^!-;=?-~]")  # visible ASCII without the brackets that end it
_REFERENCES = 20  # RFC 5322 sets no limit, servers set one to a header: the first and the last of a thread are what counts
_LINE = "\r\n"
_FOLD = f"{_LINE} "
_LONGEST_LINE = 900  # RFC 5321 allows 1,000 octets

# Nothing is folded but where we say so: a folded link or id would be none.
_WIRE = compat32.clone(linesep=_LINE, max_line_length=None)


def compose(message: Outgoing, sender: Mailbox) -> Message:
    """The mail. Its Message-ID is the notification's id, so that a mail sent again is known as the same."""
    notification, recipient = message.begun.notification, message.begun.recipient
    mail = _body(message.words)
    mail["From"] = _address(sender)
    mail["To"] = _address(Mailbox(recipient.address, recipient.name or ""))
    mail["Subject"] = _text(message.words.subject, "Subject")
    mail["Date"] = format_datetime(message.now)
    mail["Message-ID"] = message_id(notification.id, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-CSM-Notification"] = _text(notification.id, "X-CSM-Notification")
    mail["X-CSM-Account"] = _text(notification.account_id, "X-CSM-Account")
    mail["X-CSM-Run"] = _text(notification.run_id, "X-CSM-Run")
    _join_thread(mail, [message_id(each, sender.domain) for each in message.begun.thread])
    _offer_a_way_out(mail, message.links)
    return mail


def message_id(notification_id: str, domain: str) -> str:
    """`<notification-id@domain>`, the same for every attempt."""
    return f"<{_NOT_IN_AN_ID.sub('-', notification_id)}@{domain}>"


def one_line(text: str) -> str:
    """The text without anything that could end a header."""
    return _BREAKS.sub(" ", text).strip()


def _body(words: Rendered) -> Message:
    """Plain, or plain and HTML, and beside them the attachments."""
    mail: Message = _part(words.text, "plain")
    if words.html is not None:
        mail = MIMEMultipart("alternative", _subparts=[mail, _part(words.html, "html")], policy=_WIRE)
    if words.attachments:
        attached = [_attachment(each) for each in words.attachments]
        mail = MIMEMultipart("mixed", _subparts=[mail, *attached], policy=_WIRE)
    return mail


def _part(text: str, kind: str) -> MIMEText:
    lines = text.encode(errors="replace").decode().splitlines()
    plain = text.isascii() and all(len(each) <= _LONGEST_LINE for each in lines)
    whole = "".join(f"{each}{_LINE}" for each in lines)
    return MIMEText(whole, kind, "us-ascii" if plain else "utf-8", policy=_WIRE)


def _join_thread(mail: Message, before: list[str]) -> None:
    """So that mail programs show what belongs together as one conversation."""
    if before:
        mail["In-Reply-To"] = before[-1]
        mail["References"] = _FOLD.join(before[:1] + before[1:][-_REFERENCES:])


def _offer_a_way_out(mail: Message, links: Links) -> None:
    """The unsubscribe button of mail programs: RFC 2369 and, with one click, RFC 8058."""
    ways = [links.unsubscribe, f"mailto:{links.unsubscribe_mail}" if links.unsubscribe_mail else None]
    told = f",{_FOLD}".join(f"<{_NOT_IN_A_LINK.sub('', each)}>" for each in ways if each)
    if told:
        mail["List-Unsubscribe"] = told
    if links.unsubscribe:
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _attachment(attachment: Attachment) -> Message:
    known = _MEDIA_TYPE.fullmatch(attachment.media_type.lower())
    main, sub = (
        known.groups()
        if known and known[1] not in ("message", "multipart")
        else ("application", "octet-stream")
    )
    part = MIMEBase(main, sub, policy=_WIRE)
    part.set_payload(attachment.content)
    encoders.encode_base64(part)
    name = one_line(attachment.name).encode(errors="replace").decode()
    part.add_header(
        "Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name)
    )
    return part


def _text(value: str, header: str) -> str:
    """Of a header: as it is, or as encoded words where it is not ASCII (RFC 2047)."""
    line = one_line(value.encode(errors="replace").decode())
    return line if line.isascii() else Header(line, "utf-8", header_name=header).encode(linesep=_LINE)


def _address(mailbox: Mailbox) -> str:
    """With its name. An address beyond ASCII goes as it is, which only servers with SMTPUTF8 take (RFC 6532)."""
    name = one_line(mailbox.name.encode(errors="replace").decode())
    if mailbox.address.isascii():
        return formataddr((name, mailbox.address))
    quoted = formataddr((name, "a@b")).removesuffix("a@b").removesuffix("<a@b>") if name else ""
    return f"{quoted}<{mailbox.address}>".encode().decode("ascii", "surrogateescape")
