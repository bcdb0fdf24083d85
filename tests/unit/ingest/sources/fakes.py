"""The tables of sources, in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

from csm_common.errors import TransientError
from ingest.application.source_health import (
    Counts,
    SourceFigures,
    SourceSummary,
    ViolationKey,
    ViolationReport,
)
from ingest.application.sources import SourceMinute, Violation

_COUNTS = tuple(each.name for each in fields(Counts))


class MemorySources:
    """Implements SourceRecords and SourceReads."""

    def __init__(self) -> None:
        self.minutes: dict[tuple[str, datetime], SourceMinute] = {}
        self.reports: dict[tuple[str, str, str, str], ViolationReport] = {}
        self.away = False

    async def add(self, minutes: Sequence[SourceMinute], violations: Sequence[Violation]) -> None:
        """Add to what is there."""
        if self.away:
            raise TransientError("The database does not answer right now.", code="database_unavailable")
        for minute in minutes:
            self._add_minute(minute)
        for violation in violations:
            self._add_violation(violation)

    def _add_minute(self, new: SourceMinute) -> None:
        row = self.minutes.setdefault(
            (new.source, new.minute),
            SourceMinute(source=new.source, minute=new.minute, last_event_at=new.last_event_at),
        )
        for name in _COUNTS:
            setattr(row, name, getattr(row, name) + getattr(new, name))
        row.last_event_at = max(row.last_event_at, new.last_event_at)
        row.skew_s = row.skew_s if new.skew_s is None else new.skew_s

    def _add_violation(self, new: Violation) -> None:
        key = (new.source, new.name, new.path, new.rule)
        known = self.reports.get(key) or ViolationReport(
            name=new.name, path=new.path, rule=new.rule, times=0, example="", first_at=new.at, last_at=new.at
        )
        self.reports[key] = replace(
            known, times=known.times + new.times, example=new.example, last_at=max(known.last_at, new.at)
        )

    async def prune(self, now: datetime) -> None:
        """Forget what is too old to be asked for."""
        self.minutes = {k: v for k, v in self.minutes.items() if v.minute >= now - timedelta(days=8)}
        self.reports = {k: v for k, v in self.reports.items() if v.last_at >= now - timedelta(days=30)}

    async def page(self, now: datetime, *, after: str, limit: int) -> Sequence[SourceSummary]:
        """Sources with names above `after`, in the order of their names."""
        names = sorted({name for name, minute in self.minutes if minute > now - timedelta(days=8)})
        return [self._summary(name, now) for name in names if name > after][:limit]

    async def figures(self, source: str, now: datetime) -> SourceFigures | None:
        """What is known of a source."""
        rows = self._rows(source, now)
        if not rows:
            return None
        skews = [each.skew_s for each in rows if each.skew_s is not None]
        received = {each.minute: each.accepted + each.duplicates + each.rejected + each.held for each in rows}
        return SourceFigures(
            summary=self._summary(source, now),
            clock_skew_s=skews[-1] if skews else None,
            open_rejections=0,
            received={minute: count for minute, count in received.items() if minute > now - timedelta(minutes=62)},
        )  # fmt: skip

    async def violations(
        self, source: str, *, before: ViolationKey | None, limit: int
    ) -> Sequence[ViolationReport]:
        """A source's violations, the latest first."""
        own = [(_key(report), report) for (name, *_), report in self.reports.items() if name == source]
        ordered = sorted(own, key=lambda each: each[0], reverse=True)
        return [report for key, report in ordered if before is None or key < before][:limit]

    def _rows(self, source: str, now: datetime) -> list[SourceMinute]:
        rows = [each for (name, _), each in self.minutes.items() if name == source]
        return sorted(
            (each for each in rows if each.minute > now - timedelta(days=8)), key=lambda each: each.minute
        )

    def _summary(self, source: str, now: datetime) -> SourceSummary:
        rows = self._rows(source, now)
        counts: Counter[str] = Counter()
        for each in rows:
            if each.minute > now - timedelta(days=1):
                counts.update({name: getattr(each, name) for name in _COUNTS})
        return SourceSummary(
            source=source,
            last_event_at=max(each.last_event_at for each in rows),
            last_24h=Counts(**{name: counts[name] for name in _COUNTS}),
        )


def _key(report: ViolationReport) -> ViolationKey:
    return report.last_at, report.name, report.path, report.rule
