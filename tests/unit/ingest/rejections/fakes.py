"""Rejections as people see them, over the table in memory; and a replay that only remembers what it was asked for."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from tests.unit.ingest.memory_store import MemoryRejections

from ingest.application.ports import Rejection
from ingest.application.rejection_views import ListKey, RejectionCount, RejectionFilter, RejectionView
from ingest.application.replays import ReplayReport, Selection


class MemoryRejectionReads:
    """Implements RejectionReads. When a message was last seen the table in memory does not tell: when it was received."""

    def __init__(self, rejections: MemoryRejections) -> None:
        self._rejections = rejections

    async def page(
        self, wanted: RejectionFilter, now: datetime, *, before: ListKey | None, limit: int
    ) -> Sequence[tuple[ListKey, RejectionView]]:
        """The latest first."""
        keyed = [
            ((row.listed_from, row.id), row) for row in self._listed(now) if self._is_wanted(row, wanted)
        ]
        ordered = sorted(keyed, key=lambda each: each[0], reverse=True)
        behind = [each for each in ordered if before is None or each[0] < before]
        return [(key, self._view(row)) for key, row in behind[:limit]]

    async def one(self, id: str, now: datetime) -> RejectionView | None:
        """The rejection of that id."""
        return next((self._view(row) for row in self._listed(now) if row.id == id), None)

    async def counts(self, now: datetime) -> Sequence[RejectionCount]:
        """How many are open, by source and code."""
        groups: dict[tuple[str, str], list[Rejection]] = defaultdict(list)
        for row in self._listed(now):
            if row.id not in self._rejections.done:
                groups[row.source, row.code].append(row)
        counts = [
            RejectionCount(
                source=source,
                code=code,
                rejections=len(rows),
                times=sum(self._rejections.times[row.id] for row in rows),
                last_seen_at=max(row.received_at for row in rows),
            )
            for (source, code), rows in groups.items()
        ]
        return sorted(counts, key=lambda each: (-each.rejections, each.source, each.code))

    def _listed(self, now: datetime) -> list[Rejection]:
        return [row for row in self._rejections.rows.values() if row.listed_from <= now]

    def _is_wanted(self, row: Rejection, wanted: RejectionFilter) -> bool:
        done = row.id in self._rejections.done
        return (
            wanted.status in ("all", "replayed" if done else "open")
            and wanted.source in (None, row.source)
            and wanted.code in (None, row.code)
            and wanted.format in (None, row.format)
            and (wanted.since is None or row.received_at >= wanted.since)
            and (wanted.until is None or row.received_at < wanted.until)
        )

    def _view(self, row: Rejection) -> RejectionView:
        return RejectionView(
            id=row.id,
            source=row.source,
            format=row.format,
            code=row.code,
            reason=row.reason,
            message_id=row.message_id,
            times=self._rejections.times[row.id],
            received_at=row.received_at,
            last_seen_at=row.received_at,
            replayed_at=row.received_at if row.id in self._rejections.done else None,
            context=row.context,
            body=_told(row.body),
        )


def _told(body: bytes) -> Any:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")
    return msgspec.Raw(body)


class AskedReplays:
    """Implements Replays."""

    def __init__(self) -> None:
        self.asked: list[tuple[Selection, int]] = []

    async def run(self, selection: Selection, limit: int) -> ReplayReport:
        """Three of four."""
        self.asked.append((selection, limit))
        return ReplayReport(2, 1, 1, {"invalid_json": 1})
