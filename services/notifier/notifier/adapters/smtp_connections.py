"""Connections to the mail server, kept for the next mail: connecting, TLS and login cost far more than a mail does."""

import asyncio
import socket
import time
from collections import deque
from typing import Any

from aiosmtplib import SMTP, SMTPException
from aiosmtplib.response import SMTPResponse

from notifier.settings import SmtpSettings

IDLE_S = 30.0
"""Servers hang up after a few minutes; a connection that rested longer is not worth the doubt."""


class SmtpConnection(SMTP):
    """A connection that knows how many mails went over it, and whether the server may have the present one."""

    mails = 0
    in_data = False

    async def data(self, message: str | bytes, /, **options: Any) -> SMTPResponse:
        """Hand the mail itself over."""
        self.in_data = True
        response = await super().data(message, **options)
        self.in_data = False  # after a bad answer it is reset with the next mail
        return response


class SmtpConnections:
    """Hands out one connection at a time per mail; grows with the demand, its user bounds how many mails there are at once."""

    def __init__(self, server: SmtpSettings, *, idle_s: float = IDLE_S) -> None:
        self._server = server
        self._idle_s = idle_s
        self._idle: deque[tuple[SmtpConnection, float]] = deque()  # the longest idle first
        self._look: asyncio.TimerHandle | None = None

    async def take(self) -> SmtpConnection:
        """A connection that is ready for a mail: an idle one that still answers, else a new one.

        Raises SMTPException or OSError where the server cannot be reached or does not want us.
        """
        self._close_rested()
        while self._idle:
            client, _ = self._idle.pop()
            if await _answers(client):
                client.in_data = False
                return client
        return await self._connected()

    def give_back(self, client: SmtpConnection) -> None:
        """Keep it for the next mail, if it is still open and has not had its share."""
        client.mails += 1
        if client.mails >= self._server.mails_per_connection:
            client.close()
        if client.is_connected:
            self._idle.append((client, time.monotonic()))
            self._look_again()

    def close(self) -> None:
        """Hang up all idle connections."""
        if self._look is not None:
            self._look.cancel()
        while self._idle:
            self._idle.pop()[0].close()

    async def _connected(self) -> SmtpConnection:
        server = self._server
        client = SmtpConnection(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
            start_tls=server.starttls,
            cert_bundle=server.cafile,
            # Not left to the library, which would ask the DNS for it and can wait seconds for an answer.
            local_hostname=server.hello or socket.gethostname(),
            timeout=None,  # the channel sets one for the whole of a send
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    def _close_rested(self) -> None:
        while self._idle and time.monotonic() - self._idle[0][1] >= self._idle_s:
            self._idle.popleft()[0].close()

    def _look_again(self) -> None:
        """One timer for all: it runs while there are idle connections."""
        if self._look is None or self._look.when() <= asyncio.get_running_loop().time():
            self._look = asyncio.get_running_loop().call_later(self._idle_s, self._look_after)

    def _look_after(self) -> None:
        self._close_rested()
        self._look = None
        if self._idle:
            self._look_again()


async def _answers(client: SmtpConnection) -> bool:
    """Also where it is given up in the middle of the question it is closed."""
    answered = False
    try:
        await client.rset()
        answered = True
    except (SMTPException, OSError):
        return False
    finally:
        if not answered:
            client.close()
    return True
