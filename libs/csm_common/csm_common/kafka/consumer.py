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
from collections.abc import Callable, Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.database.positions import Partition
from csm_common.errors import FatalError
from csm_common.kafka.admin import unreachable
from csm_common.kafka.client import RebalanceListener, create_client, to_record
from csm_common.kafka.ownership import Ownership
from csm_common.kafka.record import BatchHandler, Record
from csm_common.kafka.transactions import FencedError, TooManyDeadLettersError, Transactions
from csm_common.settings import KafkaSettings
from csm_common.telemetry import metrics
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
        self._names = {"consumer": handler.name}
        owner = f"{socket.gethostname()}/{os.getpid()}"
        self._ownership = Ownership(self._client, engine, settings, handler, owner)
        self._ownership.on_new_assignment = self._begin_assignment
        self._transactions = Transactions(
            engine, handler, self._ownership, settings.dead_letter_run, clock, on_commit
        )
        self._halted: set[Partition] = set()
        self._fenced_since: float | None = None
        self._patience_when_fenced_s = 2 * settings.session_timeout_ms / 1000
        self._failures = 0
        self._resume_at = 0.0
        self._progress = time.monotonic()

    # ---- the loop

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; the batch in flight is finished first. TransientError where no broker answers."""
        try:
            await self._start()
            while not stop.is_set():
                await self._round()
        finally:
            await self._client.stop()

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

    async def _connect(self) -> None:
        try:
            await self._client.start()
        except KafkaConnectionError as error:
            raise unreachable(self._settings, error) from error

    async def _round(self) -> None:
        assignment = self._ownership.assignment
        fetched = await self._fetch()
        self._progress = time.monotonic()
        if self._ownership.failure is not None:
            raise FatalError(
                f"Taking partitions over failed: {self._ownership.failure}"
            ) from self._ownership.failure
        if (
            self._fenced_since is not None
            and self._progress - self._fenced_since > self._patience_when_fenced_s
        ):
            raise FatalError(
                f"{self._handler.name}: partitions went to another owner, but Kafka still calls them ours;"
                " starting anew claims them again."
            )
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
            self._back_off("fetching failed", error)
            return {}
        return {
            (tp.topic, tp.partition): [to_record(each) for each in records] for tp, records in got.items()
        }

    def _patience_ms(self) -> int:
        due = self._handler.next_due() if self._ownership.open else None
        patience = _IDLE_POLL_S if due is None else (due - self._clock.now()).total_seconds()
        patience = max(patience, self._resume_at - time.monotonic())
        return max(1, int(min(_IDLE_POLL_S, patience) * 1000))

    async def _work(self, fetched: Mapping[Partition, list[Record]]) -> None:
        if time.monotonic() < self._resume_at:
            self._ownership.rewind(fetched)
            return
        wanted = {
            partition: records for partition, records in fetched.items() if partition not in self._halted
        }
        try:
            if wanted:
                await self._hint(await self._transactions.apply(wanted))
            due = self._handler.next_due()
            if due is not None and due <= self._clock.now():
                await self._transactions.apply_due()
        except FatalError:
            raise
        except TooManyDeadLettersError as exceeded:
            self._halt(exceeded.partitions, fetched)
        except FencedError as fenced:
            self._step_back(fenced, fetched)
        except Exception as error:
            self._put_back(error, fetched)
        else:
            self._resume()

    # ---- when something fails

    def _put_back(self, error: Exception, fetched: Mapping[Partition, list[Record]]) -> None:
        """Nothing of the transaction lasts: seek back and pause for a while."""
        self._handler.forget()
        self._back_off("batch put back", error)
        self._ownership.rewind(fetched)

    def _back_off(self, what: str, error: Exception) -> None:
        """Fetch nothing for a while, but poll on all the time, or the group takes us for dead."""
        schedule = self._settings.retry_backoff_s
        pause = max(schedule[min(self._failures, len(schedule) - 1)], getattr(error, "retry_after", 0.0))
        self._failures += 1
        self._resume_at = time.monotonic() + pause
        metrics.consumer_retries.add(1, {**self._names, "code": getattr(error, "code", type(error).__name__)})
        log.warning(what, **self._names, error=repr(error), pause_s=pause, failures=self._failures)
        self._client.pause(*self._ownership.client_partitions())

    def _resume(self) -> None:
        if not self._failures:
            return
        log.info("working again", **self._names, failures=self._failures)
        self._failures = 0
        self._client.resume(*self._ownership.client_partitions(set(self._ownership.claims) - self._halted))

    def _halt(self, partitions: Sequence[Partition], fetched: Mapping[Partition, list[Record]]) -> None:
        """Too many dead letters in a row: leave the records on the log and wait for an operator."""
        self._handler.forget()
        self._ownership.rewind(fetched)
        self._halted.update(partitions)
        self._client.pause(*self._ownership.client_partitions(partitions))
        metrics.partitions_halted.add(len(partitions), self._names)
        log.error(
            "partitions halted: too many dead letters in a row; nothing was skipped; mend the cause, then restart",
            **self._names,
            partitions=[f"{topic}/{number}" for topic, number in partitions],
            limit=self._settings.dead_letter_run,
        )

    def _begin_assignment(self) -> None:
        self._fenced_since = None
        metrics.partitions_halted.add(-len(self._halted), self._names)
        self._halted.clear()

    def _step_back(self, fenced: FencedError, fetched: Mapping[Partition, list[Record]]) -> None:
        """Another process has claimed these partitions: in a group it is the new owner, and our own rebalance follows.

        Should none follow, it was a former owner that claimed late and may be dead by now: then we end, to claim them anew.
        """
        self._handler.forget()
        metrics.consumer_fenced.add(len(fenced.partitions), self._names)
        log.warning("fenced: another owner has these partitions", **self._names, partitions=fenced.partitions)
        if self._settings.assignment == "all":
            raise FatalError(
                f"{self._handler.name}: another process owns our partitions; assignment=all allows but one."
            )
        self._fenced_since = self._fenced_since or time.monotonic()
        for partition in fenced.partitions:
            self._ownership.claims.pop(partition, None)
        self._client.pause(*self._ownership.client_partitions(fenced.partitions))
        self._ownership.rewind(partition for partition in fetched if partition in self._ownership.claims)

    async def _hint(self, next_offsets: Mapping[Partition, int]) -> None:
        """Tell Kafka how far we are, for lag tools only; failing is normal in a rebalance."""
        if self._settings.assignment != "group" or not next_offsets:
            return
        try:
            await self._client.commit(
                {TopicPartition(*each): offset for each, offset in next_offsets.items()}
            )
        except (KafkaError, ValueError) as error:
            log.debug("offset hint not taken", **self._names, error=repr(error))

    # ---- for the probes

    def problem(self) -> str | None:
        """Why this consumer is not healthy, in a sentence; None when it is."""
        if self._halted:
            return f"{self._handler.name}: {len(self._halted)} partitions halted by the dead-letter limit"
        if not self._ownership.open:
            return f"{self._handler.name}: no partitions are assigned yet"
        if self._fenced_since is not None:
            return f"{self._handler.name}: another owner has partitions that Kafka calls ours"
        if self._failures > 2:
            return f"{self._handler.name}: {self._failures} failures in a row"
        return None

    def stalled_for(self) -> float:
        """Seconds since the loop last came round; for the liveness probe."""
        return time.monotonic() - self._progress
