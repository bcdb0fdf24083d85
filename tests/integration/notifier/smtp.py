"""A real SMTP server that answers as a script says, and keeps what it accepts."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.support.ports import free_port


class MailServer:
    """`answers` are given to mails in turn (`250 Kept` when there are none), `to_recipients` to RCPT by address.

    While `released` is not set, no mail is answered.
    """

    def __init__(self, *answers: str) -> None:
        self.port = free_port()
        self.answers = list(answers)
        self.to_recipients: dict[str, str] = {}
        self.deaf_to: set[str] = set()
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.senders: list[str | None] = []
        self.connections = 0
        self.released = asyncio.Event()
        self.released.set()
        self.waiting = 0
        self._open: set[SMTP] = set()

    @asynccontextmanager
    async def listening(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        password: str | None = None,
        login_over_tls: bool = False,
        utf8: bool = False,
    ) -> AsyncIterator["MailServer"]:
        """Serve on the port, with STARTTLS and login where they are given."""
        options: dict[str, Any] = {"tls_context": tls, "enable_SMTPUTF8": utf8, "hostname": "mail.test"}
        if password is not None:
            options |= {"auth_required": True, "auth_require_tls": login_over_tls}
            options |= {"authenticator": self._only_with(password)}
        server = await asyncio.get_running_loop().create_server(
            lambda: self._protocol(**options), "127.0.0.1", self.port
        )
        try:
            yield self
        finally:
            server.close()
            self.released.set()
            self.hang_up()

    @property
    def talking(self) -> bool:
        """Whether anybody is connected."""
        return any(each.transport is not None and not each.transport.is_closing() for each in self._open)

    def hang_up(self) -> None:
        """Cut all connections."""
        for each in self._open:
            if each.transport is not None:
                each.transport.close()
        self._open.clear()

    def _protocol(self, **options: Any) -> SMTP:
        self.connections += 1
        protocol = SMTP(self, loop=asyncio.get_running_loop(), **options)
        self._open.add(protocol)
        return protocol

    def _only_with(self, password: str) -> Any:
        def authenticate(_: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword) -> AuthResult:
            return AuthResult(success=data.password == password.encode(), handled=False)

        return authenticate

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or refuse it; those it is deaf to wait as mails do."""
        if address in self.deaf_to:
            await self.released.wait()
        if address in self.to_recipients:
            return self.to_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take the mail, or answer as the script says."""
        self.waiting += 1
        await self.released.wait()
        self.waiting -= 1
        answer = self.answers.pop(0) if self.answers else "250 Kept"
        if answer.startswith("250"):
            self.recipients += envelope.rcpt_tos
            self.senders.append(envelope.mail_from)
            self.kept(message_from_bytes(envelope.original_content or b"", policy=default))
        return answer

    def kept(self, mail: EmailMessage) -> None:
        """Keep a mail that was taken."""
        self.mails.append(mail)
