"""An endpoint that webhook steps can call over HTTP: checks every signature, keeps what came in, and answers as it is told."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import msgspec
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    payload: bytes

    @property
    def body(self) -> Any:
        """What it says."""
        return msgspec.json.decode(self.payload)


@dataclass
class Sink:
    """`answers` are status codes, one a request; then 200. With 3xx goes an address. While `hang` is cleared nobody answers."""

    url: str = ""
    came: list[Came] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answers: "SimpleQueue[int]" = field(default_factory=SimpleQueue)
    hang: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hang.set()

    @property
    def message_ids(self) -> list[str]:
        """One for each request that came in."""
        return [each.headers["webhook-id"] for each in self.came]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sink: Sink

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        payload = self.rfile.read(length)
        if len(payload) < length:  # whoever called died in the middle of it
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._keep(payload, headers)
        self.sink.hang.wait()
        status = self.sink.answers.get_nowait() if not self.sink.answers.empty() else 200
        try:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"{self.sink.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:
            self.close_connection = True  # whoever called is dead

    def _keep(self, payload: bytes, headers: dict[str, str]) -> None:
        if "webhook-signature" in headers and headers["webhook-signature"] != _signature(payload, headers):
            self.sink.refused.append(headers["webhook-id"])
            return
        self.sink.came.append(Came(self.path, headers, payload))

    def log_message(self, format: str, *args: object) -> None:
        """Not to the terminal."""


def _signature(payload: bytes, headers: Mapping[str, str]) -> str:
    """By the sender's clock, which a test may have moved."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return Webhook(SECRET).sign(headers["webhook-id"], at, payload.decode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that was killed in the middle of its request."""


@contextmanager
def running_sink() -> Iterator[Sink]:
    """A server on a free port for the length of the block."""
    sink = Sink()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"sink": sink}))
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
