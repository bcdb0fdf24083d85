"""The email channel: one mail over SMTP, and the server's answer read by its code.

5xx on the mail itself is for good; everything else passes: 4xx, lost connections, silence. So does a 5xx on connecting, greeting,
TLS or login, because that is about us and not about this mail: a changed password must not fail every message there is.
"""

import asyncio
import re
from datetime import datetime
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPStatus,
)

from notifier.adapters.mail import compose, one_line
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.application.ports import Rendered
from notifier.domain.addresses import Mailbox
from notifier.domain.delivery import Answer
from notifier.domain.notification import Notification
from notifier.domain.recipients import Recipient

_LOGIN_NEEDED = 530  # RFC 4954: the answer to a mail from somebody who should have logged in
_LONGEST_REPLY = 500


class EmailChannel:
    """Sends over `connections`; a send that takes longer than `timeout_s` in all is given up."""

    def __init__(self, connections: SmtpConnections, sender: Mailbox, *, timeout_s: float) -> None:
        self._connections = connections
        self._sender = sender
        self._timeout_s = timeout_s
        self._deadlines: set[asyncio.Timeout] = set()

    async def send(
        self, notification: Notification, recipient: Recipient, words: Rendered, now: datetime
    ) -> Answer:
        """Send one mail to one recipient."""
        mail = compose(notification, recipient, words, self._sender, now)
        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                self._deadlines.add(deadline)
                return await self._send(mail, recipient.address)
        except TimeoutError:
            return Answer("deferred", "the mail server took too long, or the service was told to stop")
        finally:
            self._deadlines.discard(deadline)

    def abandon(self) -> None:
        """Let the time of every send in flight run out now."""
        for deadline in self._deadlines:
            deadline.reschedule(asyncio.get_running_loop().time())

    async def _send(self, mail: EmailMessage, address: str) -> Answer:
        try:
            client = await self._connections.take()
        except (SMTPException, OSError) as error:
            said = _without(address, str(error))
            return Answer(
                "deferred", f"the mail server is not available: {said}", getattr(error, "code", None)
            )
        try:
            answer = await self._hand_over(client, mail, address)
        except BaseException:
            client.close()  # in the middle of a mail it is of no more use
            raise
        self._connections.give_back(client)
        return answer

    async def _hand_over(self, client: SMTP, mail: EmailMessage, address: str) -> Answer:
        try:
            _, said = await client.send_message(mail, sender=self._sender.address, recipients=[address])
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _by_code(first.code, _without(address, first.message))
        except SMTPResponseException as error:
            return _by_code(error.code, _without(address, error.message))
        except SMTPNotSupported as error:
            return Answer("refused", _without(address, str(error)))
        except (SMTPException, OSError) as error:
            client.close()
            return Answer("deferred", f"the connection was lost: {_without(address, str(error))}")
        return Answer("accepted", _without(address, said), SMTPStatus.completed)


def _by_code(code: int, said: str) -> Answer:
    permanent = 500 <= code < 600 and code != _LOGIN_NEEDED
    return Answer("refused" if permanent else "deferred", f"{code} {said}", code)


def _without(address: str, said: str) -> str:
    """What the server said: one line of storable text without the address, because an erasure would not find it there."""
    readable = one_line(said.encode(errors="replace").decode())
    return re.sub(re.escape(address), "(recipient)", readable, flags=re.IGNORECASE)[:_LONGEST_REPLY]
