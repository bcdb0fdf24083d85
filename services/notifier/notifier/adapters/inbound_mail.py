"""Mails that come back, read for what they are: bounces (RFC 3464), spam reports (RFC 5965), answers of machines and of people.

The library's lenient policy is used throughout: these mails come from anywhere, and many break every rule there is.
"""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes, message_from_string
from email.message import Message
from email.policy import compat32
from hashlib import sha256

from notifier.adapters.tokens import ReturnAddresses, ReturnKind
from notifier.domain.inbound import InboundMail, MailKind, enhanced_status, never_again, smtp_code

_PARTS = 100
_TEXT = 64 * 1024
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_RETURNED = ("Return-Path", "X-Return-Path", "Errors-To", "List-Unsubscribe", "Original-Mail-From")
_NAMING = ("X-CSM-Notification", "Message-ID", "Original-Envelope-Id", "X-Failed-Message-Id")
_ANSWERED = ("In-Reply-To", "References")
_COPIES = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/global-headers",
    "message/rfc822-headers",
)
_ADDRESS = re.compile(r"[^\s<>:,;\"'?]{1,200}@[^\s<>,;\"'?]{1,255}")
_ID = re.compile(r"<?\s*([!-;=?A-~]{1,200})(?:@[^\s<>]*)?>?")
_DAEMON = re.compile(r"mailer-daemon|postmaster|mail delivery (sub)?system", re.IGNORECASE)
_LISTS = re.compile(r"bulk|junk|list|auto.?reply", re.IGNORECASE)
_GIVEN_UP = re.compile(
    r"permanent|undeliverable|could not be delivered|wasn't able to deliver", re.IGNORECASE
)
_DECODED: dict[str, Callable[[bytes], bytes]] = {"base64": a2b_base64, "quoted-printable": a2b_qp}
_QMAIL_LATER = re.compile(r"in the queue too long", re.IGNORECASE)


class InboundMailReader:
    """Implements MailReader."""

    def __init__(self, addresses: ReturnAddresses | None = None) -> None:
        self._addresses = addresses

    @property
    def signs(self) -> bool:
        """Whether our mails bear a signed return address."""
        return self._addresses is not None

    def read(self, raw: bytes, recipient: str | None = None) -> InboundMail:
        """What the mail is taken for; `unknown` for whatever cannot be read."""
        try:
            return self._read(message_from_bytes(raw, policy=compat32), raw, recipient)
        except Exception:  # the library raises anything on what is no mail, and no such mail may stop the mail server's queue
            return InboundMail(key=_key(raw), kind="unknown")

    def _read(self, mail: Message, raw: bytes, recipient: str | None) -> InboundMail:
        parts = list(_parts(mail))
        kind, report = _classified(mail, parts)
        returned = _returned(parts)
        sent_to = self._signed([recipient or "", *_values(mail, _RECIPIENTS)])
        if sent_to is not None and sent_to[0] == "unsubscribe" and kind in ("replied", "unknown"):
            kind = "unsubscribed"
        proof = (
            sent_to or self._signed(_values(returned, _RETURNED)) or self._signed(_values(report, _RETURNED))
        )
        return _told(
            key=_key((mail.get("Message-ID") or "").strip().encode("utf-8", "replace") or raw),
            kind=kind,
            proven=proof[1] if proof else None,
            named=tuple(_named(mail, returned, report)),
            report=report,
        )

    def _signed(self, values: Sequence[str]) -> tuple[ReturnKind, str] | None:
        if self._addresses is None:
            return None
        read = (self._addresses.read(each) for value in values for each in _ADDRESS.findall(value[:_TEXT]))
        return next((each for each in read if each is not None), None)


def _told(
    *, key: str, kind: MailKind, proven: str | None, named: tuple[str, ...], report: Message | None
) -> InboundMail:
    if kind not in ("bounced", "delayed") or report is None:
        return InboundMail(key=key, kind=kind, proven=proven, named=named)
    diagnostic = " ".join(_values(report, ("Diagnostic-Code",)))
    status = enhanced_status(_value(report, "Status")) or enhanced_status(diagnostic)
    return InboundMail(
        key=key,
        kind=kind,
        proven=proven,
        named=named,
        hard=kind == "bounced" and never_again(status, diagnostic),
        code=smtp_code(diagnostic),
        status=status,
    )


def _classified(mail: Message, parts: Sequence[Message]) -> tuple[MailKind, Message | None]:
    """What it is, and the fields of its report."""
    types = {each.get_content_type() for each in parts}
    if "message/delivery-status" in types or "message/global-delivery-status" in types:
        return _delivery_status(parts)
    if "message/feedback-report" in types:
        return "complained", _fields_of(parts, "message/feedback-report")
    if "message/disposition-notification" in types:
        return "auto_replied", None
    if (bounce := _plain_bounce(mail, parts)) is not None:
        return bounce
    if _is_automatic(mail):
        return "auto_replied", None
    return ("replied" if _values(mail, _ANSWERED) else "unknown"), None


def _delivery_status(parts: Sequence[Message]) -> tuple[MailKind, Message | None]:
    """The worst that is told of any recipient: our mails have one each, and what a mailing list behind it says counts, too."""
    wanted = ("message/delivery-status", "message/global-delivery-status")
    blocks = [block for part in parts if part.get_content_type() in wanted for block in _blocks(part)]
    kinds: dict[str, MailKind] = {"failed": "bounced", "delayed": "delayed"}
    for action, kind in kinds.items():
        for block in blocks:
            if _value(block, "Action").strip().lower().startswith(action):
                return kind, block
    done = ("delivered", "relayed", "expanded")
    if any(_value(block, "Action").strip().lower().startswith(done) for block in blocks):
        return "delivered", None
    return "unknown", None


def _plain_bounce(mail: Message, parts: Sequence[Message]) -> tuple[MailKind, Message] | None:
    """A bounce of before RFC 3464, as qmail and some gateways send them: prose of a mail system."""
    sender = " ".join(_values(mail, ("From", "Return-Path")))
    if not (_DAEMON.search(sender) or _value(mail, "Return-Path").strip() == "<>"):
        return None
    text = " ".join(_text(each) for each in parts if each.get_content_type() == "text/plain")[:_TEXT]
    told = text.partition("--- Below this line")[0]
    if not _GIVEN_UP.search(told) and enhanced_status(told) is None:
        return None
    report = Message()
    report["Diagnostic-Code"] = " ".join(told.split())
    if _QMAIL_LATER.search(told):
        report["Status"] = "4.4.7"
    elif (enhanced_status(told) or "5").startswith("4"):
        return "delayed", report
    return "bounced", report


def _is_automatic(mail: Message) -> bool:
    submitted = _value(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    told = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response")
    precedence = _LISTS.search(_value(mail, "Precedence")) is not None
    return submitted not in ("", "no") or bool(_values(mail, told)) or precedence


def _named(mail: Message, returned: Message | None, report: Message | None) -> Iterator[str]:
    """Ids of notifications that the headers may name."""
    texts = [*_values(returned, _NAMING), *_values(report, ("Original-Envelope-Id",))]
    texts += _values(mail, ("In-Reply-To",))
    texts += [each for value in _values(mail, ("References",)) for each in reversed(value.split()[-20:])]
    seen: set[str] = set()
    for each in texts:
        found = _ID.match(each.strip())
        if found is not None and found.group(1) not in seen and len(seen) < 20:
            seen.add(found.group(1))
            yield found.group(1)


def _returned(parts: Sequence[Message]) -> Message | None:
    """The headers of our own mail, as they came back."""
    for each in parts[1:]:
        if each.get_content_type() in _COPIES:
            return _inner(each)
    for each in parts:
        _, line, below = _text(each).partition("--- Below this line is a copy of the message.")
        if line:
            return message_from_string(below.lstrip(), policy=compat32)
    return None


def _fields_of(parts: Sequence[Message], content_type: str) -> Message | None:
    found = next((each for each in parts if each.get_content_type() == content_type), None)
    return _inner(found) if found is not None else None


def _inner(part: Message) -> Message:
    """The message, or the fields, that a part holds: the library parses those of type message, and leaves others as texts."""
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return payload[0]
    return message_from_string(_text(part).lstrip(), policy=compat32)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status; the library parses them unless the part is encoded."""
    payload = part.get_payload()
    inner = [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    if len(inner) > 1 and encoding not in _DECODED:
        yield from inner[:_PARTS]
        return
    text = "\n\n".join(str(each) for each in inner) or _text(part)
    if encoding in _DECODED:
        text = _DECODED[encoding](text.encode("ascii", "replace")).decode("utf-8", "replace")
    for block in re.split(r"\r?\n[ \t]*\r?\n", text.strip())[:_PARTS]:
        yield message_from_string(block, policy=compat32)


def _parts(mail: Message) -> Iterator[Message]:
    """The parts, outermost first, no more than anybody needs; what is inside a returned mail is none of them."""
    waiting = [mail]
    for _ in range(_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting[:0] = [each for each in inner[:_PARTS] if isinstance(each, Message)]


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content[:_TEXT].decode("utf-8", "replace")
    return ""


def _values(mail: Message | None, names: Sequence[str]) -> list[str]:
    return [str(each) for name in names for each in (mail.get_all(name, []) if mail is not None else [])]


def _value(mail: Message, name: str) -> str:
    return next(iter(_values(mail, (name,))), "")


def _key(content: bytes) -> str:
    return sha256(content).hexdigest()
