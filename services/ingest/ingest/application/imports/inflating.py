"""From the bytes of a body to plain bytes, piece by piece: what looks like gzip is inflated, anything else is left as it is."""

import zlib
from collections.abc import Iterator

from csm_common.errors import InvalidError, TooLargeError

MAGIC = b"\x1f\x8b"
PIECE_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Plain:
    """`feed` bytes as they come and read plain ones, at most PIECE_BYTES at once and `limit` in all; `finish` at the end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.size = 0
        self._start = b""
        self._packed: bool | None = None
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes that these complete. InvalidError where they are damaged, TooLargeError where there are too many."""
        if self._packed is None:
            self._start += chunk
            if len(self._start) < len(MAGIC):
                return
            chunk, self._start = self._start, b""
            self._packed = chunk.startswith(MAGIC)
        yield from self._counted(self._inflated(chunk) if self._packed else _pieces(chunk))

    def finish(self) -> Iterator[bytes]:
        """What is left. InvalidError where the end is missing."""
        yield from self._counted(_pieces(self._start))
        self._start = b""
        if self._packed and not self._member.eof:
            raise InvalidError("The gzip stream ends too early: the file is cut off.", code="invalid_gzip")

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._member.eof:  # a file may be packed in several members, and be filled up with zeros
                chunk = chunk.lstrip(b"\x00")
                if not chunk:
                    return
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(chunk, PIECE_BYTES)
            except zlib.error as error:
                raise InvalidError(
                    f"The file begins like gzip and cannot be inflated: {error}.", code="invalid_gzip"
                ) from error
            if piece:
                yield piece
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            if self.size > self._limit:
                raise TooLargeError(
                    f"The file has more than {self._limit} bytes, inflated. Send it in several parts; what was taken stays."
                )
            yield piece


def _pieces(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE_BYTES):
        yield chunk[start : start + PIECE_BYTES]
