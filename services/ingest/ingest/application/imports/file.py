"""A file as it arrives: bytes go in, and out come its events in order, each ready to be sent on or with the reason why not."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from csm_common.errors import InvalidError
from csm_common.mapping.occurrences import Occurrences
from ingest.application.imports.completing import Completion
from ingest.application.imports.formats import format_of, records_of
from ingest.application.imports.inflating import Plain
from ingest.application.imports.job import Format, ImportOrder
from ingest.application.imports.lines import Line, Lines
from ingest.application.imports.records import Record, Records
from ingest.application.reading import MAX_EVENT_BYTES
from ingest.domain.decision import Rejected


class Ready(NamedTuple):
    """An event to be sent on, and the line it is from."""

    line: int
    event: Mapping[str, Any]
    body: bytes


class Bad(NamedTuple):
    """A line of which no event can be made."""

    record: Record
    rejected: Rejected


class ImportFile:
    """`feed` bytes however they were cut, `finish` at the end. `format` is known from the first line on."""

    def __init__(self, order: ImportOrder, *, max_bytes: int) -> None:
        self._order = order
        self._plain = Plain(max_bytes)
        self._digest = sha256()
        self._lines = Lines(MAX_EVENT_BYTES)
        self._records: Records | None = None
        self._occurrences = Occurrences()
        self._completion = Completion(order, self._occurrences)
        self.format: Format | None = None

    def feed(self, chunk: bytes) -> Iterator[Ready | Bad]:
        """What these bytes complete. PermanentError where nothing can be made of the file from here on."""
        yield from self._read(self._plain.feed(chunk))

    def finish(self) -> Iterator[Ready | Bad]:
        """What is left. InvalidError where the end of the file is missing, or there was nothing in it."""
        yield from self._read(self._plain.finish())
        yield from self._completed(self._recorded(self._lines.finish()))
        if self._records is None:
            raise InvalidError("The file is empty: it has no line with an event.", code="empty_import")
        yield from self._completed(self._records.finish())

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._lines.count

    @property
    def size(self) -> int:
        """How many bytes were read, inflated."""
        return self._plain.size

    @property
    def memory(self) -> int:
        """About how many bytes of memory are needed to know lines again."""
        return self._occurrences.size

    @property
    def content(self) -> str:
        """Tells what was read from all other files."""
        return self._digest.hexdigest()

    def _read(self, pieces: Iterator[bytes]) -> Iterator[Ready | Bad]:
        for piece in pieces:
            self._digest.update(piece)
            yield from self._completed(self._recorded(self._lines.feed(piece)))

    def _recorded(self, lines: Iterator[Line]) -> Iterator[Record]:
        for line in lines:
            if self._records is None:
                if not line.content.strip():
                    continue
                self.format = format_of(self._order, line)
                self._records = records_of(self.format, self._order)
            yield from self._records.read(line)

    def _completed(self, records: Iterator[Record]) -> Iterator[Ready | Bad]:
        for record in records:
            completed = self._completion.complete(record)
            if isinstance(completed, Rejected):
                yield Bad(record, completed)
            else:
                yield Ready(record.line, *completed)
