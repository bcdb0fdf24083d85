"""The tables of what people did with messages, and of the mails that told it."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.application.responses import TakenMail

_REMEMBERED = timedelta(days=90)

_FIRST = text("""
INSERT INTO responses (notification_id, status, number, at) VALUES (:id, :status, :number, :at) ON CONFLICT DO NOTHING
""")

# The caller holds the person's lock, so nobody else counts at the same time.
_ANOTHER = text("""
INSERT INTO responses (notification_id, status, number, at)
SELECT :id, CAST(:status AS text), count(*), CAST(:at AS timestamptz) FROM responses
WHERE notification_id = :id AND status = CAST(:status AS text)
RETURNING number
""")

_PRUNE = text("DELETE FROM inbound_mails WHERE taken_at < :before")

_TAKE_IN = text("""
INSERT INTO inbound_mails (key, kind, notification_id, taken_at) VALUES (:key, :kind, :notification_id, :now)
ON CONFLICT DO NOTHING
""")

_TAKEN = text("SELECT kind, notification_id FROM inbound_mails WHERE key = :key")


class PostgresResponses:
    """Both in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def first(self, notification_id: str, status: str, number: int, at: datetime) -> bool:
        """Remember that it happened; False where it is known already."""
        this = {"id": notification_id, "status": status, "number": number, "at": at}
        return (await self._tx.execute(_FIRST, this)).rowcount == 1

    async def another(self, notification_id: str, status: str, at: datetime) -> int:
        """Remember that it happened again: how often it had happened before."""
        return int(await self._tx.scalar(_ANOTHER, {"id": notification_id, "status": status, "at": at}))

    async def take_in(self, key: str, mail: TakenMail, now: datetime) -> TakenMail | None:
        """Remember a mail; what it was taken for where it had been here before."""
        this = {"key": key, "kind": mail.kind, "notification_id": mail.notification_id, "now": now}
        await self._tx.execute(_PRUNE, {"before": now - _REMEMBERED})
        if (await self._tx.execute(_TAKE_IN, this)).rowcount == 1:
            return None
        row = (await self._tx.execute(_TAKEN, {"key": key})).one()
        return TakenMail(row.kind, row.notification_id)
