"""The exactly-once consumer: records come from Kafka at least once, their effects are in PostgreSQL exactly once.

How it holds (each point was measured to lose or double records when left out):

* The position of every partition is in PostgreSQL, moved in the transaction of the effects. Kafka's own offsets are a hint.
* A claim raises the position's epoch; a transaction first locks the position under its claimed epoch, and finding none means that
  another owner took over: the batch is dropped. Offsets below the position are dropped as repeats.
* The loop never blocks before `getmany` and never cancels it: coordination errors surface there, and a cancelled one
  kills the client's poll watchdog for good. What arrives while we own nothing is dropped.
* Gap rule: a first offset above the position can be a stale fetch buffer. Seek back once; the same gap again is legal.
* Timers of a partition run here too, between batches, under the same lock: an account has one writer.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.database.positions import Partition
from csm_common.errors import FatalError
from csm_common.kafka.admin import unreachable
from csm_common.kafka.batches import Batch, batches
from csm_common.kafka.client import RebalanceListener, create_client, to_record
from csm_common.kafka.hints import OffsetHints
from csm_common.kafka.ownership import Ownership
from csm_common.kafka.record import BatchHandler, Record
from csm_common.kafka.recovery import Recovery
from csm_common.kafka.transactions import FencedError, TooManyDeadLettersError, Transactions
from csm_common.settings import KafkaSettings
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_IDLE_POLL_S = 0.5


class ExactlyOnceConsumer:
    """Runs one handler over its topics until told to stop; a FatalError ends the process."""

    def __init__(
        self,
        settings: KafkaSettings,
        engine: AsyncEngine,
        handler: BatchHandler,
        *,
        clock: Clock,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_commit` is called after every commit that may have written to the outbox: it wakes the relay."""
        self._settings = settings
        self._handler = handler
        self._clock = clock
        self._client = create_client(settings, handler.name)
        self._hints = OffsetHints(self._client, handler.name)
        owner = f"{socket.gethostname()}/{os.getpid()}"
        self._ownership = Ownership(self._client, engine, settings, handler, owner)
        self._recovery = Recovery(settings, self._client, self._ownership, handler)
        self._ownership.on_new_assignment = self._recovery.begin_assignment
        self._transactions = Transactions(
            engine, handler, self._ownership, settings.dead_letter_run, clock, on_commit
        )
        self._progress = time.monotonic()

    # ---- the loop

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; the batch in flight is finished first. TransientError where no broker answers."""
        try:
            await self._start()
            while not stop.is_set():
                await self._round()
        finally:
            await self._hints.close()
            await self._leave()

    async def _start(self) -> None:
        if self._settings.assignment == "group":
            listener = RebalanceListener(self._ownership.revoked, self._ownership.assigned)
            self._client.subscribe([each.name for each in self._handler.topics], listener=listener)
            await self._connect()
        else:
            partitions = await self._ownership.all_partitions()
            self._client.assign([TopicPartition(*each) for each in partitions])
            await self._connect()
            await self._ownership.assigned(partitions)

    async def _leave(self) -> None:
        # In a task of its own: where the broker has gone during a fetch, the client lets its own cancellation through.
        leaving = asyncio.create_task(self._client.stop())
        await asyncio.wait({leaving})
        if leaving.cancelled() or leaving.exception() is not None:
            log.info("left without the broker", consumer=self._handler.name)

    async def _connect(self) -> None:
        try:
            await self._client.start()
        except (KafkaConnectionError, NodeNotReadyError) as error:
            raise unreachable(self._settings, error) from error

    async def _round(self) -> None:
        assignment = self._ownership.assignment
        fetched = await self._fetch()
        self._progress = time.monotonic()
        if self._ownership.failure is not None:
            raise FatalError(
                f"Taking partitions over failed: {self._ownership.failure}"
            ) from self._ownership.failure
        self._recovery.check_fence()
        if not self._ownership.open:
            return
        if assignment != self._ownership.assignment:
            self._ownership.rewind(fetched)  # or it would be missed until the next record shows the gap
            return
        self._ownership.idle.clear()
        try:
            await self._work(fetched)
        finally:
            self._ownership.idle.set()

    async def _fetch(self) -> dict[Partition, list[Record]]:
        """What the client has, at most a batch; waits no longer than until the next timer is due."""
        most = self._settings.batch_records if self._ownership.open else 1
        try:
            got = await self._client.getmany(timeout_ms=self._patience_ms(), max_records=most)
        except NoOffsetForPartitionError:
            return {}  # normal between an assignment and our seek
        except OffsetOutOfRangeError as error:
            raise FatalError(
                f"{self._handler.name}: the position lies outside the log ({error.args}). Records may be lost: compare the"
                " positions table with the topic's offsets before you change either."
            ) from error
        except KafkaError as error:
            self._recovery.note_fetch(error)
            return {}
        self._recovery.note_fetch(None)
        return {
            (tp.topic, tp.partition): [to_record(each) for each in records] for tp, records in got.items()
        }

    def _patience_ms(self) -> int:
        patience = self._recovery.pause_left()
        if patience <= 0:
            due = self._handler.next_due() if self._ownership.open else None
            patience = _IDLE_POLL_S if due is None else (due - self._clock.now()).total_seconds()
        return max(1, int(min(_IDLE_POLL_S, patience) * 1000))

    async def _work(self, fetched: Mapping[Partition, list[Record]]) -> None:
        if self._recovery.pause_left() > 0:
            self._ownership.rewind(fetched)
            return
        self._recovery.resume()
        wanted = {
            partition: records
            for partition, records in fetched.items()
            if partition not in self._recovery.halted
        }
        try:
            is_due = await self._apply(wanted)
        except FatalError:
            raise
        except TooManyDeadLettersError as exceeded:
            self._recovery.halt(exceeded.partitions, fetched)
        except FencedError as fenced:
            self._recovery.step_back(fenced, fetched)
        except Exception as error:
            self._recovery.put_back(error, fetched)
        else:
            if wanted or is_due:  # an empty round proves nothing: what failed may not have come again yet
                self._recovery.note_success()

    async def _apply(self, wanted: Batch) -> bool:
        """Batch by batch, with the timers that are due after each; whether any were."""
        assignment, were_due = self._ownership.assignment, False
        for batch in batches(wanted, self._settings.batch_keys):
            if assignment != self._ownership.assignment:
                self._ownership.rewind(wanted)
                return were_due
            moved = await self._transactions.apply(batch)
            if self._settings.assignment == "group":
                self._hints.tell(moved)
            self._progress = time.monotonic()
            were_due = await self._timers() or were_due
        return were_due if wanted else await self._timers()

    async def _timers(self) -> bool:
        """Run the timers if one is due; whether one was."""
        due = self._handler.next_due()
        if due is None or due > self._clock.now():
            return False
        await self._transactions.apply_due()
        return True

    # ---- for the probes

    def problem(self) -> str | None:
        """Why this consumer is not healthy, in a sentence; None when it is."""
        problem = self._recovery.problem() if self._ownership.open else "no partitions are assigned yet"
        return problem and f"{self._handler.name}: {problem}"

    async def read_to_end(self) -> dict[Partition, datetime]:
        """Of each partition that is ours and read to its end: when the broker last said where that is."""
        found: dict[Partition, datetime] = {}
        if not self._ownership.open:
            return found
        told = [
            (tp, self._client.highwater(tp), self._client.last_poll_timestamp(tp))
            for tp in self._client.assignment()
        ]
        with suppress(KafkaError, TimeoutError):  # a rebalance takes partitions away meanwhile
            async with asyncio.timeout(_IDLE_POLL_S):
                for tp, end, at in told:
                    if end is not None and at is not None and await self._client.position(tp) >= end:
                        found[tp.topic, tp.partition] = datetime.fromtimestamp(at / 1000, UTC)
        return found

    def stalled_for(self) -> float:
        """Seconds since the loop last came round; for the liveness probe."""
        return time.monotonic() - self._progress
