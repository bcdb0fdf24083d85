"""The table `account_health`: what the newest snapshot of each account says, and its score day by day for the mails."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.application.feed_ports import Known, ReceivedSnapshot
from notifier.application.ports import TrendPoint

DAYS = 60

# The day's last score stands for the day. Slices keep at most DAYS points; those that are older are left out when read.
_SAVE = text(f"""
INSERT INTO account_health AS known (account_id, revision, score, band, evaluated_at, scorecard, measures, trend_days,
    trend_scores)
SELECT id, revision, score, band, evaluated_at, scorecard, measures,
    CASE WHEN score IS NULL THEN '{{}}' ELSE ARRAY[day] END,
    CASE WHEN score IS NULL THEN '{{}}' ELSE ARRAY[score]::float4[] END
FROM unnest(CAST(:ids AS text[]), CAST(:revisions AS bigint[]), CAST(:scores AS float8[]), CAST(:bands AS text[]),
    CAST(:evaluated AS timestamptz[]), CAST(:scorecards AS text[]), CAST(:measures AS bytea[]), CAST(:days AS date[]))
    AS t(id, revision, score, band, evaluated_at, scorecard, measures, day)
ON CONFLICT (account_id) DO UPDATE SET revision = EXCLUDED.revision, score = EXCLUDED.score, band = EXCLUDED.band,
    evaluated_at = EXCLUDED.evaluated_at, scorecard = EXCLUDED.scorecard, measures = EXCLUDED.measures,
    trend_days = CASE WHEN EXCLUDED.score IS NULL OR known.trend_days[cardinality(known.trend_days)] >= EXCLUDED.trend_days[1]
        THEN known.trend_days
        ELSE known.trend_days[cardinality(known.trend_days) - {DAYS - 2}:] || EXCLUDED.trend_days END,
    trend_scores = CASE WHEN EXCLUDED.score IS NULL THEN known.trend_scores
        WHEN known.trend_days[cardinality(known.trend_days)] >= EXCLUDED.trend_days[1]
        THEN known.trend_scores[1 : cardinality(known.trend_scores) - 1] || EXCLUDED.trend_scores
        ELSE known.trend_scores[cardinality(known.trend_scores) - {DAYS - 2}:] || EXCLUDED.trend_scores END
WHERE known.revision < EXCLUDED.revision
""")  # noqa: S608  (constants)

_KNOWN = text("""
SELECT account_id, revision, score, band, scorecard, measures FROM account_health WHERE account_id = ANY(CAST(:ids AS text[]))
""")

_TRENDS = text("""
SELECT account_id, evaluated_at, trend_days, trend_scores FROM account_health WHERE account_id = ANY(CAST(:ids AS text[]))
""")

_FORGET = text("DELETE FROM account_health WHERE account_id = ANY(CAST(:ids AS text[]))")


class PostgresAccountHealth:
    """Implements ports.AccountHealth and feed_ports.KnownHealth in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known; at most one an account."""
        if not received:
            return
        received = sorted(received, key=lambda each: each.account_id)  # all lock in this order
        values = {
            "ids": [each.account_id for each in received],
            "revisions": [each.revision for each in received],
            "scores": [each.score for each in received],
            "bands": [each.band for each in received],
            "evaluated": [each.evaluated_at for each in received],
            "scorecards": [each.scorecard for each in received],
            "measures": [bytes(each.measures) for each in received],
            "days": [each.day for each in received],
        }
        await self._tx.execute(_SAVE, values)

    async def known(self, account_ids: Collection[str]) -> Mapping[str, Known]:
        """What is known of these; accounts never heard of are absent."""
        found = await self._tx.execute(_KNOWN, {"ids": sorted(account_ids)})
        return {
            row.account_id: Known(row.revision, row.score, row.band, row.scorecard, row.measures)
            for row in found
        }

    async def forget(self, account_ids: Collection[str]) -> None:
        """Nothing is known of these any more."""
        await self._tx.execute(_FORGET, {"ids": sorted(account_ids)})

    async def trends(self, account_ids: Collection[str]) -> Mapping[str, Sequence[TrendPoint]]:
        """By account: at most one point a day for the last 60 days, oldest first; the last one is of now."""
        if not account_ids:
            return {}
        found = await self._tx.execute(_TRENDS, {"ids": sorted(account_ids)})
        return {
            row.account_id: _trend(row.evaluated_at, list(zip(row.trend_days, row.trend_scores, strict=True)))
            for row in found
        }


def _trend(evaluated_at: datetime, points: Sequence[tuple[object, float]]) -> Sequence[TrendPoint]:
    ends = [
        (datetime.combine(day, time(), UTC) + timedelta(days=1), score)  # type: ignore[arg-type]  # a date
        for day, score in points
    ]
    oldest = evaluated_at - timedelta(days=DAYS)
    return [TrendPoint(min(end, evaluated_at), round(score, 4)) for end, score in ends if end > oldest]
