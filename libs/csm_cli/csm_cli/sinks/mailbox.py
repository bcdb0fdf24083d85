"""Mails as the SMTP door takes them: decoded once, the newest kept for GET /mails."""

from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Mail:
    """One received mail. Sender and recipients are those of the envelope; headers of one name are joined by a comma."""

    id: int
    sender: str
    to: list[str]
    subject: str
    text: str | None
    html: str | None
    headers: dict[str, str]
    received_at: str

    def as_json(self) -> dict[str, Any]:
        """The mail as GET /mails shows it."""
        fields = asdict(self)
        return {"id": fields.pop("id"), "from": fields.pop("sender"), **fields}


class Mailbox:
    """Keeps the newest mails; it is the handler of the SMTP server."""

    def __init__(self, kept: int = KEPT) -> None:
        self._mails: deque[Mail] = deque(maxlen=kept)
        self._ids = count(1)

    def mails(self, to: str | None = None) -> list[Mail]:
        """Oldest first; with `to` only those with that recipient, whatever its case."""
        return [mail for mail in self._mails if to is None or to.lower() in map(str.lower, mail.to)]

    def empty(self) -> None:
        """Forget all mails."""
        self._mails.clear()

    def receive(self, content: bytes, *, sender: str, to: list[str], now: datetime) -> None:
        """Keep the mail with these bytes."""
        message = message_from_bytes(content, policy=policy.default)
        mail = Mail(
            id=next(self._ids),
            sender=sender,
            to=to,
            subject=str(message["subject"] or ""),
            text=_body(message, "plain"),
            html=_body(message, "html"),
            headers=_headers(message),
            received_at=now.isoformat(),
        )
        self._mails.append(mail)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Called by aiosmtpd with a whole mail; the answer goes to the client."""
        self.receive(
            envelope.original_content or b"",
            sender=envelope.mail_from or "",
            to=list(envelope.rcpt_tos),
            now=datetime.now(UTC),
        )
        return "250 Kept"


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except LookupError:  # a charset nobody knows; the bytes are shown as far as they can be
        return bytes(part.get_payload(decode=True)).decode("utf-8", errors="replace")


def _headers(message: EmailMessage) -> dict[str, str]:
    return {name: ", ".join(map(str, message.get_all(name, []))) for name in message}
