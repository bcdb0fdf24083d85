"""Which format a file has: as it was told, else by its first byte."""

from csm_common.errors import InvalidError
from ingest.application.imports.csv_rows import CsvRecords
from ingest.application.imports.job import Format, ImportOrder
from ingest.application.imports.lines import Line
from ingest.application.imports.ndjson import NdjsonRecords
from ingest.application.imports.records import Records


def format_of(order: ImportOrder, first: Line) -> Format:
    """The format of the file whose first line with anything in it this is. InvalidError for a JSON array."""
    if order.format:
        return order.format
    begins = first.content.lstrip()[:1]
    if begins == b"[":
        raise InvalidError(
            "The file is a JSON array. Put one event on each line, or send batches to POST /v1/events.",
            code="not_lines",
        )
    return "ndjson" if begins == b"{" else "csv"


def records_of(format: Format, order: ImportOrder) -> Records:
    """What reads that format."""
    return NdjsonRecords() if format == "ndjson" else CsvRecords(order)
