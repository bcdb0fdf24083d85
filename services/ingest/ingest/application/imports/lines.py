"""From plain bytes to numbered lines, however the bytes were cut on their way; a line is never kept beyond its limit."""

from collections.abc import Iterator
from typing import NamedTuple

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its end. Of one that is longer than the limit `content` is the beginning; `length` is all of it."""

    number: int
    content: bytes
    length: int

    @property
    def whole(self) -> bool:
        """Whether all of it is here."""
        return len(self.content) == self.length


class Lines:
    """`feed` bytes, read lines of at most `limit` bytes each; `finish` gives the last one, which may lack its end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0
        self._parts: list[bytes] = []
        self._kept = 0
        self._length = 0

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that these bytes complete."""
        *ended, rest = piece.split(b"\n")
        for each in ended:
            self._add(each)
            yield self._line()
        self._add(rest)

    def finish(self) -> Iterator[Line]:
        """The last line, if there is anything behind the last end of line."""
        if self._length:
            yield self._line()

    def _add(self, part: bytes) -> None:
        self._length += len(part)
        # One byte more than the limit, so that a \r at the end is still seen.
        kept = part[: self._limit + 1 - self._kept]
        if kept:
            self._parts.append(kept)
            self._kept += len(kept)

    def _line(self) -> Line:
        content, length = b"".join(self._parts), self._length
        self._parts, self._kept, self._length = [], 0, 0
        self.count += 1
        if length == len(content) and content.endswith(b"\r"):
            content, length = content[:-1], length - 1
        if self.count == 1 and content.startswith(BYTE_ORDER_MARK):
            content, length = content[len(BYTE_ORDER_MARK) :], length - len(BYTE_ORDER_MARK)
        return Line(self.count, content[: self._limit], length)
