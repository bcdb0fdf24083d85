"""The table `crossings`: what was handled, as it was received."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.health import Crossing
from playbooks.application.model import ReceivedCrossing

_REMEMBER = text("""
INSERT INTO crossings (id, account_id, threshold, direction, occurred_at, received_at, traceparent, data)
SELECT id, account_id, threshold, direction, occurred_at, :now, traceparent, data
FROM unnest(CAST(:ids AS text[]), CAST(:accounts AS text[]), CAST(:thresholds AS text[]), CAST(:directions AS text[]),
    CAST(:occurred AS timestamptz[]), CAST(:traces AS text[]), CAST(:datas AS bytea[]))
    AS t(id, account_id, threshold, direction, occurred_at, traceparent, data)
ON CONFLICT (id) DO NOTHING
RETURNING id
""")

_LOAD = text("SELECT id, traceparent, data FROM crossings WHERE id = ANY(CAST(:ids AS text[]))")

_decoder = msgspec.json.Decoder(Crossing)


class PostgresCrossings:
    """Implements ports.Crossings."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def remember(self, received: Sequence[ReceivedCrossing], now: datetime) -> list[ReceivedCrossing]:
        """Write down those that are new and return them, in the order given."""
        by_id: dict[str, ReceivedCrossing] = {}
        for each in received:
            by_id.setdefault(each.id, each)
        rows = await self._tx.execute(_REMEMBER, {"now": now, **_columns(list(by_id.values()))})
        new = {row.id for row in rows}
        return [each for each in by_id.values() if each.id in new]

    async def load(self, ids: Collection[str]) -> Mapping[str, ReceivedCrossing]:
        """Crossings by id."""
        if not ids:
            return {}
        rows = await self._tx.execute(_LOAD, {"ids": list(ids)})
        return {
            row.id: ReceivedCrossing(
                id=row.id, crossing=_decoder.decode(row.data), data=row.data, traceparent=row.traceparent
            )
            for row in rows
        }


def _columns(received: Sequence[ReceivedCrossing]) -> dict[str, list[object]]:
    return {
        "ids": [each.id for each in received],
        "accounts": [each.crossing.account_id for each in received],
        "thresholds": [each.crossing.threshold for each in received],
        "directions": [each.crossing.direction for each in received],
        "occurred": [each.crossing.occurred_at for each in received],
        "traces": [each.traceparent for each in received],
        "datas": [each.data for each in received],
    }
