"""What people do with messages: the signed links they follow, the mails they send back, and where both are remembered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from notifier.domain.inbound import InboundMail

Purpose = Literal["unsubscribe", "preferences", "click", "open"]
"""What a link is for; a link for one of them is good for no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a signed link says: no address, no name; `person` is a pseudonym, `url` and `number` are a clicked link's."""

    notification_id: str
    account_id: str | None = None
    contact_id: str | None = None
    person: str | None = None
    category: str | None = None
    language: str | None = None
    url: str | None = None
    number: int = 0


class LinkReader(Protocol):
    """Reads what was signed, and nothing else."""

    def read(self, token: str, purpose: Purpose) -> Claims | None:
        """What a link of that purpose says; None where it is forged, damaged, expired or for another purpose."""
        ...

    def sign(self, claims: Claims, purpose: Purpose, expires_at: datetime | None = None) -> str:
        """The link's token, of letters, digits, dots, dashes and underscores."""
        ...


class MailReader(Protocol):
    """Reads mails that come back. Whatever they look like, it tells what they are taken for."""

    @property
    def signs(self) -> bool:
        """Whether our mails bear a signed return address, so that a bounce without one is not to be believed."""
        ...

    def read(self, raw: bytes, recipient: str | None) -> InboundMail:
        """One mail as it came over the wire; `recipient` is the envelope's, where it is known."""
        ...


@dataclass(frozen=True, slots=True)
class TakenMail:
    """A mail that was taken in: what for, and which notification it is about."""

    kind: str
    notification_id: str | None


class Responses(Protocol):
    """What people did, remembered so that each thing is told once."""

    async def first(self, notification_id: str, status: str, number: int, at: datetime) -> bool:
        """Remember that it happened; False where it is known already."""
        ...

    async def another(self, notification_id: str, status: str, at: datetime) -> int:
        """Remember that it happened again: how often it had happened before."""
        ...

    async def take_in(self, key: str, mail: TakenMail, now: datetime) -> TakenMail | None:
        """Remember a mail; what it was taken for where it had been here before. Mails are forgotten after 90 days."""
        ...
