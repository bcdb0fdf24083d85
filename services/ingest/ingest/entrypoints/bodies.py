"""Reading a request's body: bounded in bytes and in time, counted against the budget, inflated where it is compressed."""

import asyncio
import gzip
import io
import zlib

from starlette.requests import ClientDisconnect, Request

from csm_common.errors import InvalidError, PermanentError, TooLargeError
from csm_common.web.body import read_body
from ingest.application.budget import Budget, Hold

_GZIP_MAGIC = b"\x1f\x8b"


class SlowBodyError(PermanentError):
    """The body did not arrive in time."""

    code = "body_timeout"
    status = 408


class Bodies:
    """Bodies of at most `limit` bytes, compressed or not; `deadline_s` bounds a sender that stalls."""

    def __init__(self, budget: Budget, *, limit: int, deadline_s: float) -> None:
        self._budget = budget
        self._limit = limit
        self._deadline_s = deadline_s

    def hold(self, request: Request) -> Hold:
        """The request's share of the budget, taken before its body is read: what is declared, or the most it may be."""
        declared = request.headers.get("content-length", "")
        return self._budget.hold(min(int(declared), self._limit) if declared.isdigit() else self._limit)

    async def read(self, request: Request, hold: Hold) -> bytes:
        """The plain body. Looks at the bytes, whatever the headers say of them."""
        body = await self._receive(request)
        if not body.startswith(_GZIP_MAGIC):
            return body
        hold.grow(self._limit)
        return self._inflate(body)

    async def _receive(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await read_body(request, self._limit)
        except TimeoutError:
            raise SlowBodyError(
                f"The body was not here within {self._deadline_s:g} s. Send it again."
            ) from None
        except ClientDisconnect:
            raise InvalidError(
                "The sender hung up before the body was here.", code="incomplete_body"
            ) from None

    def _inflate(self, body: bytes) -> bytes:
        try:
            plain = gzip.GzipFile(fileobj=io.BytesIO(body)).read(self._limit + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidError(
                f"The body begins like gzip and cannot be inflated: {error}.", code="invalid_gzip"
            ) from error
        if len(plain) > self._limit:
            raise TooLargeError(
                f"The inflated body is larger than {self._limit} bytes. Send fewer events in one request."
            )
        return plain
