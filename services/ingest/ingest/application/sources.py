"""What the door notes of every source while it works, gathered in memory between two writes to the table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from ingest.domain.names import storable

OTHER = "other"
"""Stands for the sources, and for the names of violations, beyond what is told apart."""

_MINUTE = timedelta(minutes=1)
_LONGEST = 500


@dataclass(slots=True, kw_only=True)
class SourceMinute:
    """What a source sent within the minute that begins at `minute`. `late` of the accepted told of a time long past.

    `skew_s` is how far its clock is ahead of ours, as last seen, in seconds; None where its messages do not tell.
    """

    source: str
    minute: datetime
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    held: int = 0
    late: int = 0
    last_event_at: datetime
    skew_s: float | None = None


@dataclass(slots=True, kw_only=True)
class Violation:
    """A rule of a tracking plan that messages called `name` broke at `path`, `times` since it was last written down."""

    source: str
    name: str
    path: str
    rule: str
    times: int
    example: str
    at: datetime


class SourceRecords(Protocol):
    """The tables of minutes and violations."""

    async def add(self, minutes: Sequence[SourceMinute], violations: Sequence[Violation]) -> None:
        """Add to what is there, in one transaction."""
        ...

    async def prune(self, now: datetime) -> None:
        """Forget what is too old to be asked for."""
        ...


class SourceTally:
    """Counts per source and minute. However many sources there are and however long nobody takes, memory is bounded."""

    def __init__(
        self, *, max_sources: int = 1_000, max_minutes: int = 10_000, max_violations: int = 1_000
    ) -> None:
        """Beyond `max_sources`, or `max_minutes` over all of them, counts go to OTHER; so do violations beyond theirs."""
        self._max_sources = max_sources
        self._max_minutes = max_minutes
        self._max_violations = max_violations
        self._sources: set[str] = set()
        self._minutes: dict[tuple[str, datetime], SourceMinute] = {}
        self._violations: dict[tuple[str, str, str, str], Violation] = {}
        self._latest: dict[str, SourceMinute] = {}

    def note(
        self,
        source: str,
        *,
        at: datetime,
        accepted: int = 0,
        duplicates: int = 0,
        rejected: int = 0,
        held: int = 0,
        late: int = 0,
        skew_s: float | None = None,
    ) -> None:
        """Count what became of a request's messages from one source: one call a request and source, not one a message."""
        row = self._minute(source, at)
        row.accepted += accepted
        row.duplicates += duplicates
        row.rejected += rejected
        row.held += held
        row.late += late
        row.last_event_at = max(row.last_event_at, at)
        if skew_s is not None:
            row.skew_s = skew_s

    def violated(
        self, source: str, name: str, path: str, rule: str, example: str, at: datetime, times: int = 1
    ) -> None:
        """Count a rule that was broken; `example` is a message, or what is wrong in one, as a person would want to see it."""
        self._violation(
            Violation(
                source=source,
                name=name,
                path=path,
                rule=rule,
                times=times,
                example=example,
                at=at,
            )
        )

    def take(self) -> tuple[list[SourceMinute], list[Violation]]:
        """All that was noted since the last time."""
        taken = list(self._minutes.values()), list(self._violations.values())
        self._sources, self._minutes, self._violations, self._latest = set(), {}, {}, {}
        return taken

    def put_back(self, minutes: Sequence[SourceMinute], violations: Sequence[Violation]) -> None:
        """Count again what was taken and could not be written."""
        for each in minutes:
            self.note(
                each.source, at=each.last_event_at, accepted=each.accepted, duplicates=each.duplicates,
                rejected=each.rejected, held=each.held, late=each.late, skew_s=each.skew_s,
            )  # fmt: skip
        for violation in violations:
            self._violation(violation)

    def _violation(self, new: Violation) -> None:
        new = replace(
            new,
            source=_storable(new.source),
            name=_storable(new.name),
            path=_storable(new.path),
            example=_storable(new.example),
        )
        key = (new.source, new.name, new.path, new.rule)
        if key not in self._violations and len(self._violations) >= self._max_violations:
            key = (OTHER, OTHER, "", "")
            new = replace(new, source=OTHER, name=OTHER, path="", rule="")
        known = self._violations.setdefault(key, new)
        if known is not new:
            known.times += new.times
            known.example = new.example
            known.at = max(known.at, new.at)

    def _minute(self, source: str, at: datetime) -> SourceMinute:
        latest = self._latest.get(source)
        if latest is None or not latest.minute <= at < latest.minute + _MINUTE:
            latest = self._latest[source] = self._row(source, at)
        return latest

    def _row(self, source: str, at: datetime) -> SourceMinute:
        source, minute = _storable(source), at.replace(second=0, microsecond=0)
        if self._is_too_much(source, minute):
            source = OTHER
        row = self._minutes.get((source, minute))
        if row is None:
            row = SourceMinute(source=source, minute=minute, last_event_at=at)
            self._minutes[source, minute] = row
            self._sources.add(source)
        return row

    def _is_too_much(self, source: str, minute: datetime) -> bool:
        if (source, minute) in self._minutes:
            return False
        full = len(self._minutes) >= self._max_minutes
        return full or (source not in self._sources and len(self._sources) >= self._max_sources)


def _storable(text: str) -> str:
    """One name that cannot be stored would keep all others from being written down."""
    return storable(text, _LONGEST)
