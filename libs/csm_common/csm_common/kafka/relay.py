"""Publishes the outbox: woken by the commits of its own process, with a slow poll behind for rows whose writer died."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.database import outbox
from csm_common.database.outbox import Message, OutboxRow
from csm_common.errors import FatalError, TransientError
from csm_common.kafka.producer import describe
from csm_common.poller import Poller
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_ROWS = 1_000


class Sender(Protocol):
    """Where messages go: the Producer."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Publish and wait: per message None, or why it is not known to be on the log."""
        ...


class OutboxRelay:
    """`wake()` after a commit; `run(stop)` until told to stop, then once more until the outbox is empty."""

    def __init__(self, engine: AsyncEngine, producer: Sender, *, interval_s: float = 0.5) -> None:
        self._engine = engine
        self._producer = producer
        self._poller = Poller("outbox", self._publish_all, interval_s=interval_s)

    def wake(self) -> None:
        """There may be something to publish."""
        self._poller.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set, then what is left; where that fails, the rows wait for the next start."""
        await self._poller.run(stop)
        try:
            await self._publish_all()
        except FatalError:
            raise
        except Exception as error:
            log.warning("rows stay in the outbox until the next start", error=repr(error))

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
            published = _published(rows, errors)
            await outbox.delete(tx, [row.id for row in published])
        for row in published:
            metrics.outbox_published.add(1, {"topic": row.message.topic})
        if len(published) < len(rows):
            raise TransientError(
                f"The brokers did not take all: {describe(errors)}", code="brokers_unavailable"
            )
        return len(rows)


def _published(rows: Sequence[OutboxRow], errors: Sequence[str | None]) -> list[OutboxRow]:
    """The rows that are done with: acknowledged, and behind no failed row of their key. Those behind one are published again
    after it, so that the newest message of a key is always the last one on the log."""
    failed: set[tuple[str, bytes | None]] = set()
    done = []
    for row, error in zip(rows, errors, strict=True):
        key = (row.message.topic, row.message.key)
        if error is not None:
            failed.add(key)
        elif key not in failed:
            done.append(row)
    return done
