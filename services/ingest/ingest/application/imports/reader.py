"""Reads a parked line again, as the import would read it today."""

from dataclasses import replace
from typing import cast

import msgspec

from csm_common.mapping.occurrences import Occurrences
from ingest.application.imports.completing import Completion
from ingest.application.imports.csv_values import event_of
from ingest.application.imports.job import Format, ImportOrder
from ingest.application.imports.records import Record
from ingest.application.incoming import Incoming, Reader, Received
from ingest.application.reading import read_event
from ingest.domain.decision import Rejected


def line_reader(read_cloud_event: Reader) -> Reader:
    """The reader of the format `import`, over the reader of whole CloudEvents."""

    def read(received: Received) -> Incoming | Rejected:
        context = received.context
        order = ImportOrder(
            id=context["import"],
            format=cast("Format", context["format"]),
            source=context.get("source"),
            type=context.get("type"),
            backfill="backfill" in context,
        )
        completed = Completion(order, Occurrences()).complete(_record(received, order))
        if isinstance(completed, Rejected):
            return completed
        event, body = completed
        return read_cloud_event(replace(received, body=body, source=str(event.get("source"))))

    return read


def _record(received: Received, order: ImportOrder) -> Record:
    line = int(received.context["line"])
    if order.format == "ndjson":
        return Record(line, received.body, read_event(received.body), verbatim=True)
    try:
        row = msgspec.json.decode(received.body, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        why = "This row could not be told apart into cells: mend the file and import it again."
        return Record(line, received.body, Rejected("not_csv", why))
    return Record(line, received.body, event_of(row, order.type))
