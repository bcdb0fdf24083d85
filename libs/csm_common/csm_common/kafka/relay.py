"""Publishes the outbox: woken by the commits of its own process, with a slow poll behind for rows whose writer died."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.database import outbox
from csm_common.errors import TransientError
from csm_common.kafka.producer import Producer, describe
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_ROWS = 1_000


class OutboxRelay:
    """`wake()` after a commit; `run(stop)` until told to stop, then once more until the outbox is empty."""

    def __init__(self, engine: AsyncEngine, producer: Producer, *, interval_s: float = 0.5) -> None:
        self._engine = engine
        self._producer = producer
        self._poller = Poller("outbox", self._publish_all, interval_s=interval_s)

    def wake(self) -> None:
        """There may be something to publish."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set, then what is left."""
        await self._poller.run(stop)
        await self._publish_all()

    async def _publish_all(self) -> None:
        while await self._publish_some() == _ROWS:
            pass

    async def _publish_some(self) -> int:
        """One transaction: take the oldest rows, publish, delete what was acknowledged. A crash in between publishes again,
        and readers know a repeat by its id."""
        async with self._engine.begin() as tx:
            # The brokers may take longer than the limit that fences frozen owners; no position is locked here.
            await tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = '30s'"))
            rows = await outbox.take(tx, _ROWS)
            metrics.outbox_age.set(rows[0].age if rows else 0.0)
            if not rows:
                return 0
            errors = await self._producer.send([row.message for row in rows])
            published = [row for row, error in zip(rows, errors, strict=True) if error is None]
            await outbox.delete(tx, [row.id for row in published])
        for row in published:
            metrics.outbox_published.add(1, {"topic": row.message.topic})
        if len(published) < len(rows):
            raise TransientError(
                f"The brokers did not take all: {describe(errors)}", code="brokers_unavailable"
            )
        return len(rows)
