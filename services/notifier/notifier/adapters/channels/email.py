"""The email channel: one mail over SMTP, and the server's answer read by its code.

5xx on the mail itself is for good; everything else passes: 4xx, lost connections, silence. So does a 5xx on connecting, greeting,
TLS or login, because that is about us, not about this mail: a changed password must not fail every message there is. Where nobody
can tell whether the server has the mail, it is sent again: receivers know the repeat by its Message-ID.
"""

import asyncio
import re
from collections.abc import Mapping

from aiosmtplib import (
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPStatus,
)

from notifier.adapters.deadlines import AbandonedError, Deadlines
from notifier.adapters.mail import compose, one_line
from notifier.adapters.smtp_connections import SmtpConnection, SmtpConnections
from notifier.application.ports import Manners, Outgoing
from notifier.domain.addresses import Mailbox
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Reach, Recipient, mail_address

_LOGIN_NEEDED = 530  # RFC 4954: the answer to a mail from somebody who should have logged in
_CLOSING = 421  # RFC 5321: it goes, whatever it was asked
_LONGEST_REPLY = 500
_WAITING_FOR_EACH = 8
"""Mails that are ready when a connection is, so that the server is never kept waiting for the database."""

# RFC 3463: addresses that do not exist (not X.1.7 and X.1.8, which are the sender's), and mailboxes that are closed.
_BAD_ADDRESS = re.compile(r"5\.(1\.(?!7\b|8\b)\d+|2\.1)\b")
_ENHANCED = re.compile(r"\d\.\d{1,3}\.\d{1,3}\b")
_BOUNCES = frozenset({550, 551, 553, 554})
_BOUNCES_PLAINLY = frozenset({550, 551, 553})


class EmailChannel:
    """Implements Channel: sends over `connections`; a send that takes longer than `timeout_s` in all is given up."""

    def __init__(
        self,
        connections: SmtpConnections,
        sender: Mailbox,
        *,
        timeout_s: float,
        connections_at_once: int = 8,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        self._connections = connections
        self._sender = sender
        self._timeout_s = timeout_s
        self._deadlines = Deadlines()
        self._turns = asyncio.Semaphore(connections_at_once)
        self.manners = Manners(at_once=_WAITING_FOR_EACH * connections_at_once)
        self.reach = Reach(mail_address, teams or {})

    def endpoint(self, recipient: Recipient) -> str:
        """One for all: it is the mail server that is reached, or not."""
        return "email"

    async def send(self, message: Outgoing) -> Answer:
        """Send one mail to one recipient."""
        mail = compose(message, self._sender)
        envelope_sender = message.links.bounces_to or self._sender.address
        client: SmtpConnection | None = None
        try:
            async with self._deadlines.within(self._timeout_s), self._turns:
                try:
                    client = await self._connections.take()
                except (SMTPException, OSError) as error:
                    return _not_available(error, message.begun.recipient.address)
                return await self._hand_over(client, mail, envelope_sender, message.begun.recipient.address)
        except TimeoutError:
            return _cut_off(client, f"the mail server took longer than {self._timeout_s:g} s", fault=True)
        except AbandonedError:
            return _cut_off(client, "the mail server was not waited for, as the service stops", fault=False)
        finally:
            if client is not None:
                self._connections.give_back(client)

    def abandon(self) -> None:
        """Let the time of every send in flight run out now."""
        self._deadlines.end()

    async def _hand_over(
        self, client: SmtpConnection, mail: bytes, envelope_sender: str, address: str
    ) -> Answer:
        try:
            _, said = await client.sendmail(
                envelope_sender, [address], mail, mail_options=await _options(client, address)
            )
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _by_code(first.code, _without(address, first.message), at_recipient=True)
        except SMTPResponseException as error:
            return _by_code(error.code, _without(address, error.message))
        except SMTPNotSupported as error:
            return Answer("refused", _without(address, str(error)))
        except TimeoutError:
            raise
        except (SMTPException, OSError) as error:
            return _cut_off(client, f"the connection was lost: {_without(address, str(error))}", fault=True)
        return Answer("accepted", _without(address, said), SMTPStatus.completed)


async def _options(client: SmtpConnection, address: str) -> list[str]:
    """For an address beyond ASCII, which the server must be able to take."""
    if address.isascii():
        return []
    if client.is_ehlo_or_helo_needed:
        await client.ehlo()
    if not client.supports_extension("smtputf8"):
        raise SMTPNotSupported(
            "An address containing non-ASCII characters was provided, but SMTPUTF8 is not supported"
        )
    return ["SMTPUTF8", "BODY=8BITMIME"]


def _not_available(error: Exception, address: str) -> Answer:
    said = _without(address, str(error))
    return Answer(
        "deferred", f"the mail server is not available: {said}", getattr(error, "code", None), fault=True
    )


def _cut_off(client: SmtpConnection | None, told: str, *, fault: bool) -> Answer:
    """Where the server's last word is missing; the connection, being in the middle of a mail, is of no more use."""
    if client is None:
        return Answer("deferred", told, fault=fault)
    client.close()
    return Answer("unknown" if client.in_data else "deferred", told, fault=fault)


def _by_code(code: int, said: str, *, at_recipient: bool = False) -> Answer:
    about_us = code in (_LOGIN_NEEDED, _CLOSING)
    permanent = 500 <= code < 600 and not about_us
    return Answer(
        "refused" if permanent else "deferred",
        f"{code} {said}",
        code,
        fault=about_us,
        bounced=_bounces(code, said, at_recipient=at_recipient),
    )


def _bounces(code: int, said: str, *, at_recipient: bool) -> bool:
    """Whether the address will never take a mail. Refusals by policy (5.7.x) are about this mail or about us."""
    if _ENHANCED.match(said):
        return code in _BOUNCES and _BAD_ADDRESS.match(said) is not None
    return at_recipient and code in _BOUNCES_PLAINLY


def _without(address: str, said: str) -> str:
    """What the server said: one line of storable text without the address, because an erasure would not find it there."""
    readable = one_line(said.encode(errors="replace").decode())
    return re.sub(re.escape(address), "(recipient)", readable, flags=re.IGNORECASE)[:_LONGEST_REPLY]
