"""JSON Lines: one CloudEvent a line. Empty lines are passed over."""

from collections.abc import Iterator

from ingest.application.imports.lines import Line
from ingest.application.imports.records import Record, too_long
from ingest.application.reading import read_event


class NdjsonRecords:
    """Every line on its own."""

    def read(self, line: Line) -> Iterator[Record]:
        """The record of the line."""
        if not line.whole:
            yield too_long(line)
        elif line.content and not line.content.isspace():
            yield Record(line.number, line.content, read_event(line.content), verbatim=True)

    def finish(self) -> Iterator[Record]:
        """Nothing is ever left open."""
        yield from ()
