"""From what a line tells to the bytes of a whole CloudEvent: what the line lacks is filled in, in the same way every time."""

from collections.abc import Mapping
from typing import Any

import msgspec

from csm_common.ids import derived_id
from csm_common.mapping.occurrences import Occurrences
from ingest.application.imports.job import ImportOrder
from ingest.application.imports.records import Record
from ingest.domain.decision import Rejected

_NEEDED = ("specversion", "id", "source", "type", "time")
_encode = msgspec.json.Encoder().encode


class Completion:
    """Fills in specversion, the order's source and type, the mark of a backfill, and an id where there is none.

    The id is derived from all else that the event tells, and from how many lines before it told the very same.
    """

    def __init__(self, order: ImportOrder, occurrences: Occurrences) -> None:
        self._occurrences = occurrences
        self._defaults = {"specversion": "1.0", "source": order.source, "type": order.type}
        self._marks: dict[str, Any] = {"backfill": True} if order.backfill else {}

    def complete(self, record: Record) -> tuple[dict[str, Any], bytes] | Rejected:
        """The event and its bytes; these are the line's own where nothing is lacking."""
        told = record.event
        if isinstance(told, Rejected):
            return told
        event = (
            {name: value for name, value in self._defaults.items() if value} | _present(told) | self._marks
        )
        if not event.get("time"):
            # The time of receipt, as for a live event, would make another event of the same line when it is sent again.
            return Rejected("invalid_time", "time is missing: an import must tell when it happened.")
        if "id" not in event:
            event = {"id": self._derived(event), **event}
        return event, record.body if record.verbatim and event == told else _encode(event)

    def _derived(self, event: Mapping[str, Any]) -> str:
        content = _encode(event).decode()
        first = derived_id("import-line", content)
        repeat = self._occurrences.number(first)
        return derived_id("import-line", content, repeat) if repeat else first


def _present(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
