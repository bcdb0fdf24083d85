"""The sinks as a process: `python -m csm_cli.sinks HTTP_PORT SMTP_PORT [HOST]`, on the loopback interface unless told."""

import asyncio
import signal
import sys

from aiosmtpd.smtp import SMTP

from csm_cli.sinks.app import create_app
from csm_cli.sinks.mailbox import Mailbox
from csm_common.errors import FatalError
from csm_common.settings import HttpSettings
from csm_common.web.server import HttpServer

HOST = "127.0.0.1"


async def serve(http_port: int, smtp_port: int, host: str = HOST) -> None:
    """Serve both doors until SIGTERM; FatalError or OSError when a port is taken."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    mailbox = Mailbox()

    def smtp() -> SMTP:
        return SMTP(mailbox, hostname="localhost", enable_SMTPUTF8=True, loop=loop)

    # The SMTP door first: once /livez answers, both are open.
    async with await loop.create_server(smtp, host, smtp_port):
        await HttpServer(create_app(mailbox), HttpSettings(host=host, port=http_port)).run(stop)


def main() -> None:
    """Serve on the two ports, and the address, given as arguments."""
    http_port, smtp_port, *host = sys.argv[1:]
    try:
        asyncio.run(serve(int(http_port), int(smtp_port), *host))
    except (FatalError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
