"""Stands in for a service where a test is about the processes around it: ready at once, and it dies when told to.

It is copied under the names of the services' modules, and found before them by PYTHONPATH.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = Path(__file__).stem
DOOMED = Path(__file__).with_name(f"{NAME}.doomed")


class Ready(BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    def do_GET(self) -> None:
        """Whatever is asked, the answer is yes."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not a word about requests."""


def main() -> None:
    """Serve until SIGTERM, or end at once where the file NAME.doomed says so."""
    if DOOMED.exists():
        sys.exit(f"RuntimeError: {NAME} has no luck")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["CSM_HTTP__PORT"])), Ready).serve_forever()


if __name__ == "__main__":
    main()
