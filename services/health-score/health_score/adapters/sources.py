"""The tables of the fleet guard: arrivals by type and partition, pauses by type, and since when somebody watches."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.adapters import model_changes
from health_score.application.guard import Watched
from health_score.application.model_ports import ModelChange
from health_score.application.sources import Arrivals
from health_score.domain.guard import Source

_SAVE = text("""
INSERT INTO sources AS s (type, partition, first_at, last_at, day, accounts, accounts_before)
SELECT t.*, 0 FROM unnest(CAST(:types AS text[]), CAST(:partitions AS int[]), CAST(:firsts AS timestamptz[]),
    CAST(:lasts AS timestamptz[]), CAST(:days AS date[]), CAST(:accounts AS int[])) AS t
ON CONFLICT (type, partition) DO UPDATE SET
    last_at = greatest(s.last_at, EXCLUDED.last_at),
    accounts_before = CASE WHEN EXCLUDED.day > s.day THEN s.accounts ELSE s.accounts_before END,
    accounts = CASE WHEN EXCLUDED.day > s.day THEN EXCLUDED.accounts ELSE greatest(s.accounts, EXCLUDED.accounts) END,
    day = greatest(s.day, EXCLUDED.day)
""")

_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtext('health_score.guard'))")

# A look that comes too late begins a new watch.
_SINCE = text("""
INSERT INTO source_watch AS w (since, seen_at) VALUES (:now, :now)
ON CONFLICT (one) DO UPDATE SET
    since = CASE WHEN w.seen_at < CAST(:now AS timestamptz) - make_interval(secs => :not_watched_s) THEN :now ELSE w.since END,
    seen_at = :now
RETURNING since
""")

# A pause is remembered for four weeks; one that was announced as a silence is none.
_PAUSES = text("""
INSERT INTO source_gaps AS g (type, last_at, longest_s, longest_at)
SELECT type, max(last_at), 0, max(last_at) FROM sources GROUP BY type
ON CONFLICT (type) DO UPDATE SET
    longest_s = CASE
        WHEN g.type = ANY(CAST(:silent AS text[])) THEN g.longest_s
        WHEN g.longest_at < CAST(:now AS timestamptz) - interval '28 days' THEN extract(epoch FROM EXCLUDED.last_at - g.last_at)
        ELSE greatest(g.longest_s, extract(epoch FROM EXCLUDED.last_at - g.last_at)) END,
    longest_at = CASE
        WHEN extract(epoch FROM EXCLUDED.last_at - g.last_at) >= g.longest_s
            OR g.longest_at < CAST(:now AS timestamptz) - interval '28 days' THEN EXCLUDED.last_at
        ELSE g.longest_at END,
    last_at = EXCLUDED.last_at
""")

_SOURCES = text("""
SELECT s.type, min(s.first_at) AS first_at, max(s.last_at) AS last_at,
    sum(greatest(s.accounts, s.accounts_before))::int AS accounts, min(g.longest_s) AS longest_s
FROM sources s JOIN source_gaps g USING (type) GROUP BY s.type ORDER BY s.type
""")

_SILENT = text("""
SELECT DISTINCT ON (name) name, kind, since FROM model_changes WHERE kind IN ('silence', 'sound') ORDER BY name, number DESC
""")


class PostgresSources:
    """SourceRepository and Watch on PostgreSQL."""

    async def save(self, tx: AsyncConnection, arrivals: Sequence[tuple[str, int, Arrivals]]) -> None:
        """Write down by type and partition what arrived."""
        if not arrivals:
            return
        told = [each for _, _, each in arrivals]
        await tx.execute(
            _SAVE,
            {
                "types": [type_ for type_, _, _ in arrivals],
                "partitions": [partition for _, partition, _ in arrivals],
                "firsts": [each.first_at for each in told],
                "lasts": [each.last_at for each in told],
                "days": [each.day for each in told],
                "accounts": [len(each.accounts) for each in told],
            },
        )

    async def watch(self, tx: AsyncConnection, now: datetime, not_watched_s: float) -> Watched | None:
        """All sources, with their pauses brought up to date; None if another process is at it."""
        if not await tx.scalar(_ONE_AT_A_TIME):
            return None
        since: datetime = await tx.scalar(_SINCE, {"now": now, "not_watched_s": not_watched_s})
        silent = {
            row.name: row.since.timestamp() for row in await tx.execute(_SILENT) if row.kind == "silence"
        }
        await tx.execute(_PAUSES, {"now": now, "silent": list(silent)})
        sources = [
            Source(
                row.type,
                row.first_at.timestamp(),
                row.last_at.timestamp(),
                row.accounts,
                float(row.longest_s),
            )
            for row in await tx.execute(_SOURCES)
        ]
        return Watched(sources, silent, since.timestamp())

    async def announce(self, tx: AsyncConnection, change: ModelChange) -> None:
        """Change the model: a source is silent, or back."""
        await model_changes.lock(tx)
        await model_changes.append(tx, change)
