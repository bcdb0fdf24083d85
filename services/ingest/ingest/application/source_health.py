"""What a producer can see of what it sends: counts, rates, violations and clock skew; and the port these come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

MINUTE = timedelta(minutes=1)
WINDOWS = (1, 5, 60)
"""Rates are told over so many minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of a source's messages in the last 24 hours. `late` of the accepted told of a time long past."""

    accepted: int
    duplicates: int
    rejected: int
    held: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """A source that sent something in the last eight days."""

    source: str
    last_event_at: datetime
    last_24h: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationReport:
    """A rule of the source's tracking plan that messages called `name` broke, with the latest example."""

    name: str
    path: str
    rule: str
    times: int
    example: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Messages per minute, whatever became of them, over the last minute, five and sixty."""

    m1: float
    m5: float
    m60: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source is doing. `clock_skew_s` is how far its clock is ahead of ours, None where its messages do not tell;
    `violations` are the latest few, all of them are under /violations."""

    source: str
    last_event_at: datetime
    rates_per_minute: Rates
    last_24h: Counts
    open_rejections: int
    clock_skew_s: float | None
    violations: Sequence[ViolationReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """What the tables tell of a source: `received` are messages by minute, of the last hour and a bit."""

    summary: SourceSummary
    clock_skew_s: float | None
    open_rejections: int
    received: Mapping[datetime, int]


ViolationKey = tuple[datetime, str, str, str]
"""Where a page of violations ends: last_at, name, path, rule."""


class SourceReads(Protocol):
    """What the tables tell of sources."""

    async def page(self, now: datetime, *, after: str, limit: int) -> Sequence[SourceSummary]:
        """Sources with names above `after`, in the order of their names."""
        ...

    async def figures(self, source: str, now: datetime) -> SourceFigures | None:
        """What is known of a source; None when nothing came from it in the last eight days."""
        ...

    async def violations(
        self, source: str, *, before: ViolationKey | None, limit: int
    ) -> Sequence[ViolationReport]:
        """A source's violations, the latest first."""
        ...


async def health_of(
    reads: SourceReads, source: str, now: datetime, *, violations: int = 20
) -> SourceHealth | None:
    """The report on one source with its latest `violations`; None where nothing is known of it."""
    figures = await reads.figures(source, now)
    if figures is None:
        return None
    return SourceHealth(
        source=source,
        last_event_at=figures.summary.last_event_at,
        rates_per_minute=Rates(**{f"m{each}": rate(figures.received, now, each) for each in WINDOWS}),
        last_24h=figures.summary.last_24h,
        open_rejections=figures.open_rejections,
        clock_skew_s=figures.clock_skew_s,
        violations=await reads.violations(source, before=None, limit=violations),
    )


def rate(received: Mapping[datetime, int], now: datetime, minutes: int) -> float:
    """Messages per minute over the last `minutes`, from counts by calendar minute.

    The oldest of these minutes lies within the window in part only and counts by that part, as if its messages had come evenly.
    """
    current = now.replace(second=0, microsecond=0)
    whole = sum(received.get(current - each * MINUTE, 0) for each in range(minutes))
    part = 1 - (now - current) / MINUTE
    return round((whole + part * received.get(current - minutes * MINUTE, 0)) / minutes, 2)
