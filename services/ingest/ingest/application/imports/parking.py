"""Lines of which no event could be made are kept among the rejections, with all that is needed to read them again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from csm_common.telemetry import metrics
from ingest.application.imports.file import Bad
from ingest.application.imports.job import Format, ImportOrder
from ingest.application.imports.records import Record
from ingest.application.incoming import Received
from ingest.application.parking import rejection_of
from ingest.application.ports import Store
from ingest.application.sources import SourceTally

FORMAT = "import"
"""Of such rejections, by which the reader is found that can read them again."""

_NO_SOURCE = "/import"


class LineParking:
    """Parks lines, and counts them where their source is told of."""

    def __init__(self, store: Store, tally: SourceTally) -> None:
        self._store = store
        self._tally = tally

    async def park(
        self,
        order: ImportOrder,
        format: Format | None,
        lines: Sequence[Bad],
        now: datetime,
    ) -> None:
        """Keep lines with the reason why each is not taken. TransientError when nothing was kept."""
        if not lines:
            return
        kept = [(_received(order, format, record, now), rejected) for record, rejected in lines]
        async with self._store.begin() as work:
            await work.rejections.add([rejection_of(received, why, None) for received, why in kept])
        for source, count in Counter(received.source for received, _ in kept).items():
            self._tally.note(source, at=now, rejected=count)
        for code, count in Counter(why.code for _, why in kept).items():
            metrics.events_rejected.add(count, {"code": code})


def _received(order: ImportOrder, format: Format | None, record: Record, now: datetime) -> Received:
    told = record.event.get("source") if isinstance(record.event, dict) else None
    source = told if isinstance(told, str) and told else order.source or _NO_SOURCE
    context = {"import": order.id, "line": str(record.line), "format": format or "ndjson"}
    defaults = {"source": order.source, "type": order.type, "backfill": "true" if order.backfill else None}
    context |= {name: value for name, value in defaults.items() if value}
    return Received(format=FORMAT, source=source, body=record.body, at=now, context=context)
