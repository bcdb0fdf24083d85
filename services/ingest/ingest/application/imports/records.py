"""A record is what stands for one event in a file, whatever the file's format."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from ingest.application.imports.lines import Line
from ingest.application.reading import EVENT_TOO_LARGE, MAX_EVENT_BYTES
from ingest.domain.decision import Rejected


class Record(NamedTuple):
    """The line it begins on, what it is parked as, and the event it tells of or the reason why it tells of none.

    `verbatim` tells that the body is the event itself, as the sender wrote it.
    """

    line: int
    body: bytes
    event: dict[str, Any] | Rejected
    verbatim: bool = False


class Records(Protocol):
    """Reads the records of one format."""

    def read(self, line: Line) -> Iterator[Record]:
        """The records that this line completes. InvalidError where the whole file makes no sense."""
        ...

    def finish(self) -> Iterator[Record]:
        """What the last line left open."""
        ...


def too_long(line: Line) -> Record:
    """The record of a line that is not whole."""
    message = f"The line has {line.length} bytes, of which {MAX_EVENT_BYTES} are allowed; only its beginning was kept."
    return Record(line.number, line.content, Rejected(EVENT_TOO_LARGE, message))
