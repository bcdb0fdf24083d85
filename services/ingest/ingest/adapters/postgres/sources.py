"""Sources on PostgreSQL: counts by minute and violations, added to by every replica and read by any."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ingest.adapters.postgres.connecting import connected
from ingest.application.source_health import (
    MINUTE,
    WINDOWS,
    Counts,
    SourceFigures,
    SourceSummary,
    ViolationKey,
    ViolationReport,
)
from ingest.application.sources import SourceMinute, Violation

_MINUTES_KEPT = timedelta(days=8)
_VIOLATIONS_KEPT = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTS = tuple(each.name for each in fields(Counts))

# In the order of the keys, so that two replicas that write at the same time cannot lock each other out.
_ADD_MINUTES = text("""
INSERT INTO source_minutes AS m (source, minute, accepted, duplicates, rejected, held, late, last_event_at, skew_s)
SELECT * FROM unnest(CAST(:source AS text[]), CAST(:minute AS timestamptz[]), CAST(:accepted AS bigint[]),
    CAST(:duplicates AS bigint[]), CAST(:rejected AS bigint[]), CAST(:held AS bigint[]), CAST(:late AS bigint[]),
    CAST(:last_event_at AS timestamptz[]), CAST(:skew_s AS double precision[]))
ORDER BY 1, 2
ON CONFLICT (source, minute) DO UPDATE SET
    accepted = m.accepted + excluded.accepted, duplicates = m.duplicates + excluded.duplicates,
    rejected = m.rejected + excluded.rejected, held = m.held + excluded.held, late = m.late + excluded.late,
    last_event_at = greatest(m.last_event_at, excluded.last_event_at),
    skew_s = coalesce(excluded.skew_s, m.skew_s)
""")

_ADD_VIOLATIONS = text("""
INSERT INTO violations AS v (source, name, path, rule, times, example, first_at, last_at)
SELECT source, name, path, rule, times, example, at, at FROM unnest(CAST(:source AS text[]), CAST(:name AS text[]),
    CAST(:path AS text[]), CAST(:rule AS text[]), CAST(:times AS bigint[]), CAST(:example AS text[]),
    CAST(:at AS timestamptz[])) AS t (source, name, path, rule, times, example, at)
ORDER BY source, name, path, rule
ON CONFLICT (source, name, path, rule) DO UPDATE SET
    times = v.times + excluded.times, example = excluded.example, last_at = greatest(v.last_at, excluded.last_at)
""")

_PRUNE_MINUTES = text("DELETE FROM source_minutes WHERE minute < :before")
_PRUNE_VIOLATIONS = text("DELETE FROM violations WHERE last_at < :before")

_SUMS = ", ".join(
    f"coalesce(sum({name}) FILTER (WHERE minute > :day_ago), 0)::bigint AS {name}" for name in _COUNTS
)

_PAGE = text(f"""
SELECT source, max(last_event_at) AS last_event_at, {_SUMS}
FROM source_minutes WHERE source > :after AND minute > :oldest
GROUP BY source ORDER BY source LIMIT :limit
""")  # noqa: S608 - the columns are constants

_FIGURES = text(f"""
SELECT source, max(last_event_at) AS last_event_at, {_SUMS},
    (array_agg(skew_s ORDER BY minute DESC) FILTER (WHERE skew_s IS NOT NULL))[1] AS skew_s,
    (SELECT count(*) FROM rejections r WHERE r.source = :source AND replayed_at IS NULL AND listed_from <= :now) AS open
FROM source_minutes WHERE source = :source AND minute > :oldest
GROUP BY source
""")  # noqa: S608

_RECEIVED = text("""
SELECT minute, accepted + duplicates + rejected + held AS received
FROM source_minutes WHERE source = :source AND minute > :since
""")

_VIOLATIONS = text("""
SELECT name, path, rule, times, example, first_at, last_at FROM violations
WHERE source = :source AND (NOT :paged OR (last_at, name, path, rule) < (:last_at, :name, :path, :rule))
ORDER BY last_at DESC, name DESC, path DESC, rule DESC LIMIT :limit
""")


class PostgresSources:
    """SourceRecords and SourceReads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, minutes: Sequence[SourceMinute], violations: Sequence[Violation]) -> None:
        """Add to what is there, in one transaction."""
        async with connected(self._engine) as tx:
            if minutes:
                await tx.execute(_ADD_MINUTES, _columns(SourceMinute, minutes))
            if violations:
                await tx.execute(_ADD_VIOLATIONS, _columns(Violation, violations))

    async def prune(self, now: datetime) -> None:
        """Forget minutes older than eight days, and violations that were not seen for thirty."""
        async with connected(self._engine) as tx:
            await tx.execute(_PRUNE_MINUTES, {"before": now - _MINUTES_KEPT})
            await tx.execute(_PRUNE_VIOLATIONS, {"before": now - _VIOLATIONS_KEPT})

    async def page(self, now: datetime, *, after: str, limit: int) -> Sequence[SourceSummary]:
        """Sources with names above `after`, in the order of their names."""
        async with connected(self._engine) as connection:
            rows = await connection.execute(_PAGE, {**_since(now), "after": after, "limit": limit})
            return [_summary(row) for row in rows]

    async def figures(self, source: str, now: datetime) -> SourceFigures | None:
        """What is known of a source; None when nothing came from it in the last eight days."""
        async with connected(self._engine) as connection:
            found = await connection.execute(_FIGURES, {**_since(now), "source": source, "now": now})
            row = found.one_or_none()
            if row is None:
                return None
            received = await _received(connection, source, now)
        return SourceFigures(
            summary=_summary(row), clock_skew_s=row.skew_s, open_rejections=row.open, received=received
        )

    async def violations(
        self, source: str, *, before: ViolationKey | None, limit: int
    ) -> Sequence[ViolationReport]:
        """A source's violations, the latest first."""
        last_at, name, path, rule = before or (_EPOCH, "", "", "")
        bounds = {"paged": before is not None, "last_at": last_at, "name": name, "path": path, "rule": rule}
        async with connected(self._engine) as connection:
            rows = await connection.execute(_VIOLATIONS, {"source": source, "limit": limit, **bounds})
            return [ViolationReport(**row._mapping) for row in rows]


async def _received(connection: AsyncConnection, source: str, now: datetime) -> dict[datetime, int]:
    since = now - (max(WINDOWS) + 2) * MINUTE
    rows = await connection.execute(_RECEIVED, {"source": source, "since": since})
    return {row.minute: row.received for row in rows}


def _since(now: datetime) -> dict[str, datetime]:
    return {"day_ago": now - timedelta(days=1), "oldest": now - _MINUTES_KEPT}


def _columns(kind: type, rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {each.name: [getattr(row, each.name) for row in rows] for each in fields(kind)}


def _summary(row: Row[Any]) -> SourceSummary:
    counts = Counts(**{name: row._mapping[name] for name in _COUNTS})
    return SourceSummary(source=row.source, last_event_at=row.last_event_at, last_24h=counts)
