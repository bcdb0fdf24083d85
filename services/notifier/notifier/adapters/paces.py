"""The table `paces`: endpoints that want their messages one by one, over all senders."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TAKE = text("""
INSERT INTO paces (endpoint, next_at) VALUES (:endpoint, :after)
ON CONFLICT (endpoint) DO UPDATE SET next_at = EXCLUDED.next_at WHERE paces.next_at <= :now
""")

_NEXT = text("SELECT next_at FROM paces WHERE endpoint = :endpoint")


class PostgresPaces:
    """Paces in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def turn(self, endpoint: str, every: timedelta, now: datetime) -> datetime | None:
        """None where the turn is now, and ours; else when the next one comes."""
        these = {"endpoint": endpoint, "now": now, "after": now + every}
        if (await self._tx.execute(_TAKE, these)).rowcount:
            return None
        found: datetime | None = await self._tx.scalar(_NEXT, these)
        return found
