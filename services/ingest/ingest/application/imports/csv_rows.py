"""CSV: the first row names attributes (`subject`) and data fields (`data.feature`), every other row is an event.

A quoted cell may hold line breaks, so a row may take several lines. A quote that is never closed would swallow the rest of the
file: when a row has become longer than an event may be, its first line is rejected, and reading goes on behind it.
"""

import csv
from collections.abc import Iterator, Sequence

import msgspec

from ingest.application.imports.csv_header import checked_header, no_header
from ingest.application.imports.csv_values import event_of
from ingest.application.imports.job import ImportOrder
from ingest.application.imports.lines import Line
from ingest.application.imports.records import Record, too_long
from ingest.application.reading import MAX_EVENT_BYTES
from ingest.domain.decision import Rejected

_MOST_LINES = 1_000


class CsvRecords:
    """Rows under one header."""

    def __init__(self, order: ImportOrder) -> None:
        self._order = order
        self._header: Sequence[str] | None = None
        self._open: list[Line] = []
        self._size = 0

    def read(self, line: Line) -> Iterator[Record]:
        """The rows that this line completes. InvalidError where the header is none."""
        if not line.whole:
            yield from self.finish()
            self._need_header("it is too long")
            yield too_long(line)
            return
        yield from self._add(line)
        while self._size > MAX_EVENT_BYTES or len(self._open) > _MOST_LINES:
            yield from self._skip_first()

    def finish(self) -> Iterator[Record]:
        """What a quote that is not closed has kept back."""
        while self._open:
            yield from self._skip_first()

    def _skip_first(self) -> Iterator[Record]:
        """The first line is rejected, for a quote in it is not closed; those behind it are looked at again."""
        first, *rest = self._take()
        yield self._rejected(first, "not_csv", "A quote is not closed in this row.")
        for line in rest:
            yield from self._add(line)

    def _add(self, line: Line) -> Iterator[Record]:
        self._open.append(line)
        self._size += line.length + 1
        if len(self._open) > 1 and b'"' not in line.content:
            return  # only a quote can close the cell that is open
        whole = Line(self._open[0].number, b"\n".join(each.content for each in self._open), self._size)
        try:
            cells = _cells(whole.content.decode())
        except UnicodeDecodeError:
            yield self._rejected(whole, "not_utf8", "The row holds bytes that are not UTF-8.")
        except csv.Error as error:
            yield self._rejected(whole, "not_csv", f"The row is not CSV: {error}.")
        else:
            if cells is None:
                return
            if cells:
                yield from self._row(whole, cells)
        self._take()

    def _take(self) -> list[Line]:
        taken, self._open, self._size = self._open, [], 0
        return taken

    def _row(self, line: Line, cells: Sequence[str]) -> Iterator[Record]:
        if self._header is None:
            self._header = checked_header(cells, self._order)
        elif len(cells) == len(self._header):
            row = dict(zip(self._header, cells, strict=True))
            yield Record(line.number, msgspec.json.encode(row), event_of(row, self._order.type))
        else:
            why = f"The row has {len(cells)} cells, the header {len(self._header)}."
            yield self._rejected(line, "wrong_number_of_fields", why)

    def _rejected(self, line: Line, code: str, message: str) -> Record:
        self._need_header(message)
        return Record(line.number, line.content, Rejected(code, message))

    def _need_header(self, otherwise: str) -> None:
        if self._header is None:
            raise no_header(otherwise)


def _cells(text: str) -> list[str] | None:
    """The cells of a row, None while a quoted cell is open; csv.Error where it is no row."""
    wants_more = False

    def lines() -> Iterator[str]:
        nonlocal wants_more
        yield text
        wants_more = True

    try:
        return next(csv.reader(lines(), strict=True), [])
    except csv.Error:
        if wants_more:
            return None
        raise
