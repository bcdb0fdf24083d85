"""Reading a request's body: bounded in bytes and in time, counted against the budget, inflated where it is compressed."""

import asyncio
import gzip
import io
import zlib

from starlette.requests import Request

from csm_common.errors import InvalidError, PermanentError, TooLargeError
from csm_common.web.telemetry import header
from ingest.application.budget import Hold

_GZIP_MAGIC = b"\x1f\x8b"
_JSON_BEGINS = frozenset(b'{[" \t\r\n-0123456789tfn')


class SlowBodyError(PermanentError):
    """The body did not arrive in time."""

    code = "body_timeout"
    status = 408


class Bodies:
    """Bodies of at most `limit` bytes, compressed or not; `deadline_s` bounds a sender that stalls within one."""

    def __init__(self, *, limit: int, deadline_s: float) -> None:
        self._limit = limit
        self._deadline_s = deadline_s

    async def read(self, request: Request, hold: Hold) -> bytes:
        """The plain body, `hold` grown by its size. Looks at the bytes, whatever the headers say of them."""
        self._expect(request)
        # A sender takes up what is here of its body, and not what it says will come: some never send it.
        body, more = await self._piece(request)
        hold.grow(len(body))
        if more:
            body = await self._rest(request, body, hold)
        if not body.startswith(_GZIP_MAGIC):
            _require_plain(request, body)
            return body
        hold.grow(self._limit)
        return self._inflate(body)

    def _expect(self, request: Request) -> None:
        declared = header(request.scope, b"content-length") or ""
        if declared.isdecimal() and int(declared) > self._limit:
            raise self._too_large("body")

    async def _piece(self, request: Request) -> tuple[bytes, bool]:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidError("The sender hung up before the body was here.", code="incomplete_body")
        return message.get("body", b""), message.get("more_body", False)

    async def _rest(self, request: Request, first: bytes, hold: Hold) -> bytes:
        body, more = bytearray(first), True
        try:
            async with asyncio.timeout(self._deadline_s):
                while more:
                    piece, more = await self._piece(request)
                    hold.grow(len(piece))
                    body += piece
                    if len(body) > self._limit:
                        raise self._too_large("body")
        except TimeoutError:
            raise SlowBodyError(
                f"The body was not here within {self._deadline_s:g} s. Send it again."
            ) from None
        return bytes(body)

    def _inflate(self, body: bytes) -> bytes:
        try:
            plain = gzip.GzipFile(fileobj=io.BytesIO(body)).read(self._limit + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidError(
                f"The body begins like gzip and cannot be inflated: {error}.", code="invalid_gzip"
            ) from error
        if len(plain) > self._limit:
            raise self._too_large("inflated body")
        return plain

    def _too_large(self, what: str) -> TooLargeError:
        return TooLargeError(
            f"The {what} is larger than {self._limit} bytes. Send fewer events in one request."
        )


def _require_plain(request: Request, body: bytes) -> None:
    """The label is only asked why the bytes do not begin like JSON."""
    if not body or body[0] in _JSON_BEGINS:
        return
    label = (header(request.scope, b"content-encoding") or "").lower()
    if label in ("", "identity", "gzip"):
        return
    raise InvalidError(
        f"The body is packed as {label[:40]}: only gzip is taken, or none.", code="unsupported_encoding"
    )
