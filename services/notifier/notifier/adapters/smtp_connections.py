"""Connections to the mail server, kept for the next mail: connecting, TLS and login cost far more than a mail does."""

import socket
import time
from functools import partial

from aiosmtplib import SMTP, SMTPException

from notifier.settings import SmtpSettings

_IDLE_S = 30.0  # servers hang up after a few minutes; a connection that rested longer is not worth the doubt


class SmtpConnections:
    """Hands out one connection at a time per mail; grows with the demand, its user bounds how many mails there are at once."""

    def __init__(self, server: SmtpSettings) -> None:
        self._connect = partial(
            SMTP,
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
        self._idle: list[tuple[SMTP, float]] = []

    async def take(self) -> SMTP:
        """A connection that is ready for a mail: an idle one that still answers, else a new one.

        Raises SMTPException or OSError where the server cannot be reached or does not want us.
        """
        while self._idle:
            client, since = self._idle.pop()
            if time.monotonic() - since < _IDLE_S and await _answers(client):
                return client
            client.close()
        client = self._connect()
        await client.connect()
        return client

    def give_back(self, client: SMTP) -> None:
        """Keep it for the next mail, if it is still open."""
        if client.is_connected:
            self._idle.append((client, time.monotonic()))

    def close(self) -> None:
        """Hang up all idle connections."""
        while self._idle:
            client, _ = self._idle.pop()
            client.close()


async def _answers(client: SMTP) -> bool:
    try:
        await client.rset()
    except (SMTPException, OSError):
        return False
    return True
