"""The table of the contact policy's words on each notification."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.domain.policy import Ruling

# A notification is in one sender's hands, so that nobody else gives it its next number.
_ADD = text("""
INSERT INTO decisions (notification_id, number, at, word, rule, reason, until)
SELECT t.id, coalesce(last.number, 0) + 1, :now, t.word, t.rule, t.reason, t.until
FROM unnest(CAST(:ids AS text[]), CAST(:words AS text[]), CAST(:rules AS text[]), CAST(:reasons AS text[]),
    CAST(:untils AS timestamptz[])) AS t(id, word, rule, reason, until)
LEFT JOIN LATERAL (
    SELECT number, word, rule, reason, until FROM decisions d WHERE d.notification_id = t.id ORDER BY number DESC LIMIT 1
) last ON true
WHERE (last.word, last.rule, last.reason, last.until) IS DISTINCT FROM (t.word, t.rule, t.reason, t.until)
""")


class PostgresDecisions:
    """Decisions in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, rulings: Sequence[tuple[str, Ruling]], now: datetime) -> None:
        """By notification id, each once; a repetition of the last one is not written again."""
        if not rulings:
            return
        columns = {
            "ids": [each for each, _ in rulings],
            "words": [each.word for _, each in rulings],
            "rules": [each.rule for _, each in rulings],
            "reasons": [each.reason for _, each in rulings],
            "untils": [each.until for _, each in rulings],
        }
        await self._tx.execute(_ADD, columns | {"now": now})
