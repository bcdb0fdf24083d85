"""A message as a mail: what mail programs, filters and receiving systems need beside the words.

Written out by hand where every mail is the same (a dozen headers, a plain and an HTML part), over the library's encodings: its
generator takes as long for one mail as a mail server does for two. Attachments, which are rare, are the library's.
"""

import re
from base64 import encodebytes
from email import encoders
from email.header import Header
from email.mime.base import MIMEBase
from email.policy import compat32
from email.utils import format_datetime, formataddr
from uuid import NAMESPACE_OID, uuid5

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

_WIRE = compat32.clone(linesep=_LINE)


def compose(message: Outgoing, sender: Mailbox) -> bytes:
    """The mail. Its Message-ID is the notification's id, so that a mail sent again is known as the same."""
    notification, recipient = message.begun.notification, message.begun.recipient
    headers = {
        "From": _address(sender),
        "To": _address(Mailbox(recipient.address, recipient.name or "")),
        "Subject": _text(message.words.subject, "Subject"),
        "Date": format_datetime(message.now),
        "Message-ID": message_id(notification.id, sender.domain),
        "Auto-Submitted": "auto-generated",
        "X-CSM-Notification": _text(notification.id, "X-CSM-Notification"),
        "X-CSM-Account": _text(notification.account_id, "X-CSM-Account"),
        "X-CSM-Run": _text(notification.run_id, "X-CSM-Run"),
        **_thread([message_id(each, sender.domain) for each in message.begun.thread]),
        **_way_out(message.links),
        "MIME-Version": "1.0",
    }
    told = "".join(f"{name}: {value}{_LINE}" for name, value in headers.items())
    return told.encode() + _body(message.words, uuid5(NAMESPACE_OID, notification.id).hex)


def message_id(notification_id: str, domain: str) -> str:
    """`<notification-id@domain>`, the same for every attempt."""
    return f"<{_NOT_IN_AN_ID.sub('-', notification_id)}@{domain}>"


def one_line(text: str) -> str:
    """The text without anything that could end a header."""
    return _BREAKS.sub(" ", text).strip()


def _body(words: Rendered, boundary: str) -> bytes:
    """Plain, or plain and HTML, and beside them the attachments; from its own headers on. The same for every attempt."""
    body = _part(words.text, "plain")
    if words.html is not None:
        body = _parts("alternative", [body, _part(words.html, "html")], f"={boundary}=a")
    if words.attachments:
        body = _parts("mixed", [body, *map(_attachment, words.attachments)], f"={boundary}=m")
    return body


def _parts(kind: str, parts: list[bytes], boundary: str) -> bytes:
    """RFC 2046. No part has a line that begins like a boundary: base64 has none, and plain text with one is encoded."""
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{_LINE}{_LINE}'.encode()
    between = f"--{boundary}{_LINE}".encode()
    told = b"".join(between + each + _LINE.encode() for each in parts)
    return head + told + f"--{boundary}--{_LINE}".encode()


def _part(text: str, kind: str) -> bytes:
    lines = text.encode(errors="replace").decode().splitlines()
    whole = "".join(f"{each}{_LINE}" for each in lines)
    if whole.isascii() and not any(len(each) > _LONGEST_LINE or each.startswith("--=") for each in lines):
        head, content = f"text/{kind}; charset=us-ascii{_LINE}Content-Transfer-Encoding: 7bit", whole.encode()
    else:
        head = f"text/{kind}; charset=utf-8{_LINE}Content-Transfer-Encoding: base64"
        content = encodebytes(whole.encode()).replace(b"\n", _LINE.encode())
    return f"Content-Type: {head}{_LINE}{_LINE}".encode() + content


def _thread(before: list[str]) -> dict[str, str]:
    """So that mail programs show what belongs together as one conversation."""
    if not before:
        return {}
    named = before[:1] + before[1:][-_REFERENCES:]
    return {"In-Reply-To": before[-1], "References": _FOLD.join(named)}


def _way_out(links: Links) -> dict[str, str]:
    """The unsubscribe button of mail programs: RFC 2369 and, with one click, RFC 8058."""
    ways = [links.unsubscribe, f"mailto:{links.unsubscribe_mail}" if links.unsubscribe_mail else None]
    told = f",{_FOLD}".join(f"<{_NOT_IN_A_LINK.sub('', each)}>" for each in ways if each)
    one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if links.unsubscribe else {}
    return {"List-Unsubscribe": told, **one_click} if told else {}


def _attachment(attachment: Attachment) -> bytes:
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
    return part.as_bytes()


def _text(value: str, header: str) -> str:
    """Of a header: as it is, or as encoded words where it is not ASCII (RFC 2047)."""
    line = one_line(value.encode(errors="replace").decode())
    return line if line.isascii() else Header(line, "utf-8", header_name=header).encode(linesep=_LINE)


def _address(mailbox: Mailbox) -> str:
    """With its name. An address beyond ASCII goes as it is, which only servers with SMTPUTF8 take (RFC 6532)."""
    name = one_line(mailbox.name.encode(errors="replace").decode())
    if mailbox.address.isascii():
        return formataddr((name, mailbox.address))
    quoted = formataddr((name, "a@b")).removesuffix("<a@b>") if name else ""
    return f"{quoted}<{mailbox.address}>"
