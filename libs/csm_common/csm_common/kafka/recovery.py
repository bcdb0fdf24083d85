"""What the consumer does when something fails: it puts the batch back and pauses, halts a partition, or steps back from one."""

import time
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from csm_common.database.positions import Partition
from csm_common.errors import FatalError
from csm_common.kafka.ownership import Ownership
from csm_common.kafka.record import BatchHandler, Record
from csm_common.kafka.transactions import FencedError
from csm_common.settings import KafkaSettings
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)


class Recovery:
    """Nothing of a failed batch lasts and none of its records is skipped: every way out of a failure fetches them again."""

    def __init__(
        self, settings: KafkaSettings, client: AIOKafkaConsumer, ownership: Ownership, handler: BatchHandler
    ) -> None:
        self.halted: set[Partition] = set()
        self._settings = settings
        self._client = client
        self._ownership = ownership
        self._handler = handler
        self._names = {"consumer": handler.name}
        self._failures = 0
        self._fetch_error: KafkaError | None = None
        self._paused = False
        self._resume_at = 0.0
        self._fenced_since: float | None = None
        self._patience_when_fenced_s = 2 * settings.session_timeout_ms / 1000

    # ---- pauses

    def pause_left(self) -> float:
        """Seconds until fetching may go on; not positive when it may."""
        return self._resume_at - time.monotonic()

    def resume(self) -> None:
        """The pause is over."""
        if self._paused:
            going_on = set(self._ownership.claims) - self.halted
            self._client.resume(*self._ownership.client_partitions(going_on))
        self._paused = False

    def _pause(self, seconds: float) -> None:
        # Only fetching pauses. The loop polls on all the time, or the group would take us for dead.
        self._resume_at = time.monotonic() + seconds
        self._paused = True
        self._client.pause(*self._ownership.client_partitions())

    # ---- failures

    def put_back(self, error: Exception, fetched: Mapping[Partition, list[Record]]) -> None:
        """The world is at fault: fetch the batch again after a pause."""
        self._handler.forget()
        schedule = self._settings.retry_backoff_s
        pause = max(schedule[min(self._failures, len(schedule) - 1)], getattr(error, "retry_after", 0.0))
        self._failures += 1
        metrics.consumer_retries.add(1, {**self._names, "code": getattr(error, "code", type(error).__name__)})
        log.warning(
            "batch put back", **self._names, error=repr(error), pause_s=pause, failures=self._failures
        )
        self._ownership.rewind(fetched)
        self._pause(pause)

    def note_success(self) -> None:
        """Something was committed."""
        if self._failures:
            log.info("working again", **self._names, failures=self._failures)
        self._failures = 0

    def note_fetch(self, error: KafkaError | None) -> None:
        """Fetching failed, or did not."""
        if error is not None:
            log.warning("fetching failed", **self._names, error=repr(error))
            self._pause(self._settings.retry_backoff_s[0])
            self._fetch_error = error
        elif not self._paused:
            self._fetch_error = None

    def halt(self, partitions: Sequence[Partition], fetched: Mapping[Partition, list[Record]]) -> None:
        """Too many dead letters in a row: leave the records on the log and wait for an operator."""
        self._handler.forget()
        self._ownership.rewind(fetched)
        self.halted.update(partitions)
        self._client.pause(*self._ownership.client_partitions(partitions))
        metrics.partitions_halted.add(len(partitions), self._names)
        log.error(
            "partitions halted: too many dead letters in a row; nothing was skipped; mend the cause, then restart",
            **self._names,
            partitions=[f"{topic}/{number}" for topic, number in partitions],
            limit=self._settings.dead_letter_run,
        )

    # ---- other owners

    def step_back(self, fenced: FencedError, fetched: Mapping[Partition, list[Record]]) -> None:
        """Another process has claimed these partitions: in a group it is the new owner, and our own rebalance follows."""
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

    def check_fence(self) -> None:
        """FatalError when no rebalance has followed a fence: it was a former owner that claimed late, and may be dead by now."""
        if self._fenced_since is None:
            return
        if time.monotonic() - self._fenced_since > self._patience_when_fenced_s:
            raise FatalError(
                f"{self._handler.name}: partitions went to another owner, but Kafka still calls them ours;"
                " starting anew claims them again."
            )

    def begin_assignment(self) -> None:
        """Partitions were claimed anew: what failed before may be another owner's now."""
        self._fenced_since = None
        self._failures = 0
        self._resume_at = 0.0
        self._paused = False
        metrics.partitions_halted.add(-len(self.halted), self._names)
        self.halted.clear()

    # ---- for the probes

    def problem(self) -> str | None:
        """What is not as it should be, in a few words; None when all is well."""
        if self.halted:
            return f"{len(self.halted)} partitions halted by the dead-letter limit"
        if self._fenced_since is not None:
            return "another owner has partitions that Kafka calls ours"
        if self._fetch_error is not None:
            return f"fetching fails: {self._fetch_error!r}"
        if self._failures > 2:
            return f"{self._failures} failures in a row"
        return None
