"""The table `crossings` in the order in which they happened: what simulations over the past read."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.contracts.health import Crossing
from playbooks.adapters.postgres.store import transient_told
from playbooks.application.model import ReceivedCrossing

_PAGE = text("""
SELECT id, traceparent, data FROM crossings
WHERE occurred_at < :before AND (occurred_at, id) > (:at, :id) ORDER BY occurred_at, id LIMIT :limit
""")

_FIRST = text("""
SELECT id, traceparent, data FROM crossings
WHERE occurred_at < :before AND occurred_at >= :at ORDER BY occurred_at, id LIMIT :limit
""")

_decoder = msgspec.json.Decoder(Crossing)


class PostgresPast:
    """Implements simulation_history.Past."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, since: datetime, before: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[ReceivedCrossing]:
        """A page by time and id, each read by itself: no snapshot of the database is held over the pages."""
        at, behind = after or (since, "")
        query = _FIRST if after is None else _PAGE
        with transient_told():
            async with self._engine.connect() as connection:
                rows = await connection.execute(
                    query, {"before": before, "at": at, "id": behind, "limit": limit}
                )
                # The bytes are not kept: a simulation holds very many of them in memory.
                return [
                    ReceivedCrossing(
                        id=row.id, crossing=_decoder.decode(row.data), data=b"", traceparent=row.traceparent
                    )
                    for row in rows
                ]
