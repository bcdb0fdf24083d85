"""One batch, one transaction: effects, dead letters and positions last together or not at all."""

import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.database import outbox, positions
from csm_common.database.errors import is_transient
from csm_common.database.positions import Advance, Partition
from csm_common.errors import FatalError, PermanentError, TransientError
from csm_common.kafka.dead_letters import DeadLetterLimit, dead_letter_message
from csm_common.kafka.ownership import Ownership
from csm_common.kafka.record import BatchHandler, DeadLetter, Outcome, Record
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_POISON_ATTEMPTS = 3

Batch = Mapping[Partition, list[Record]]


class TooManyDeadLettersError(Exception):
    """Committing the batch would pass the dead-letter limit of these partitions."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        super().__init__(partitions)
        self.partitions = partitions


class FencedError(Exception):
    """Another owner has claimed these partitions; nothing of the batch was written."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        super().__init__(partitions)
        self.partitions = partitions


class Transactions:
    """Applies batches and timers for one handler."""

    def __init__(
        self,
        engine: AsyncEngine,
        handler: BatchHandler,
        ownership: Ownership,
        dead_letter_run: int,
        clock: Clock,
        on_commit: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._handler = handler
        self._ownership = ownership
        self._limit = DeadLetterLimit(dead_letter_run)
        self._clock = clock
        self._on_commit = on_commit
        self._names = {"consumer": handler.name}

    async def apply(self, batch: Batch) -> dict[Partition, int]:
        """Commit the batch and return the new next offsets. Where a record breaks it: halves, until that one stands alone."""
        try:
            return await self._commit(batch)
        except Exception as error:
            if _concerns_the_whole_batch(error):
                raise
            self._handler.forget()
            log.warning("a batch failed; looking for the record at fault", **self._names, error=repr(error))
            return await self._isolate(batch)

    async def _isolate(self, batch: Batch) -> dict[Partition, int]:
        records = [record for each in batch.values() for record in each]
        if len(records) == 1:
            return await self._give_up_on(records[0])
        middle = len(records) // 2
        first = await self.apply(_by_partition(records[:middle]))
        return first | await self.apply(_by_partition(records[middle:]))

    async def _give_up_on(self, record: Record) -> dict[Partition, int]:
        """Try a few times more, unless a retry cannot help; then dead-letter the record unhandled."""
        batch = _by_partition([record])
        for _ in range(_POISON_ATTEMPTS - 1):
            try:
                return await self._commit(batch)
            except Exception as error:
                if _concerns_the_whole_batch(error):
                    raise
                self._handler.forget()
                letter, fault = _dead_letter(record, error), error
                if isinstance(error, PermanentError):
                    break
        log.error("this record is at fault", **self._names, offset=record.offset, exc_info=fault)
        return await self._commit(batch, [letter])

    async def _commit(self, batch: Batch, refused: Sequence[DeadLetter] = ()) -> dict[Partition, int]:
        """`refused` records are dead-lettered without asking the handler."""
        began = time.monotonic()
        async with self._engine.begin() as tx:
            held = await positions.lock(tx, self._handler.name, self._ownership.epochs(batch))
            if lost := [each for each in batch if each not in held]:
                raise FencedError(lost)
            wanted = self._admissible(batch, held)
            if not wanted:
                return {}
            records = [record for each in wanted.values() for record in each]
            outcome = Outcome(refused) if refused else await self._handler.handle(tx, records)
            runs = self._limit.after(wanted, outcome.dead_letters)
            if exceeded := self._limit.exceeded(runs):
                raise TooManyDeadLettersError(exceeded)
            await outbox.add(
                tx, [dead_letter_message(self._handler.name, each) for each in outcome.dead_letters]
            )
            moves = _moves(wanted, outcome.dead_letters)
            await positions.advance(tx, self._handler.name, moves)
        self._limit.remember(runs)
        next_offsets = {partition: move.next_offset for partition, move in moves.items()}
        self._ownership.next_offsets.update(next_offsets)
        self._tell(outcome)
        self._measure(wanted, outcome, time.monotonic() - began)
        return next_offsets

    def _admissible(self, batch: Batch, held: Mapping[Partition, int]) -> dict[Partition, list[Record]]:
        """The records at or above the held positions, without those behind an unconfirmed gap."""
        wanted = {}
        for partition, expected in held.items():
            fresh = [record for record in batch[partition] if record.offset >= expected]
            if not fresh:
                continue
            if fresh[0].offset > expected and self._ownership.gap_is_new(
                partition, expected, fresh[0].offset
            ):
                self._ownership.seek(partition, expected)
            else:
                wanted[partition] = fresh
        return wanted

    async def apply_due(self) -> None:
        """Run the handler's timers in the partitions that are still ours."""
        async with self._engine.begin() as tx:
            held = await positions.lock(
                tx, self._handler.name, self._ownership.epochs(self._ownership.claims)
            )
            if lost := [each for each in self._ownership.claims if each not in held]:
                raise FencedError(lost)
            outcome = await self._handler.handle_due(tx, list(held), self._clock.now())
        self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        outcome.committed()
        self._on_commit()

    def _measure(self, batch: Batch, outcome: Outcome, seconds: float) -> None:
        metrics.batch_duration.record(seconds, self._names)
        for (topic, _), records in batch.items():
            metrics.records_consumed.add(len(records), {**self._names, "topic": topic})
        for letter in outcome.dead_letters:
            metrics.dead_letters.add(1, {**self._names, "topic": letter.record.topic, "code": letter.code})
            log.warning(
                "dead letter",
                **self._names,
                code=letter.code,
                reason=letter.reason,
                offset=letter.record.offset,
            )


def _concerns_the_whole_batch(error: Exception) -> bool:
    """Whether splitting the batch would be no help: the database or the world is at fault, not a record."""
    return isinstance(
        error, (TooManyDeadLettersError, FencedError, TransientError, FatalError)
    ) or is_transient(error)


def _dead_letter(record: Record, error: Exception) -> DeadLetter:
    code = error.code if isinstance(error, PermanentError) else "handler_failed"
    return DeadLetter(record, code, f"{type(error).__name__}: {error}")


def _by_partition(records: Sequence[Record]) -> dict[Partition, list[Record]]:
    batch: dict[Partition, list[Record]] = {}
    for record in records:
        batch.setdefault((record.topic, record.partition), []).append(record)
    return batch


def _moves(batch: Batch, letters: Sequence[DeadLetter]) -> dict[Partition, Advance]:
    dead: dict[Partition, int] = {}
    for each in letters:
        partition = (each.record.topic, each.record.partition)
        dead[partition] = dead.get(partition, 0) + 1
    return {
        partition: Advance(records[-1].offset + 1, len(records), dead.get(partition, 0))
        for partition, records in batch.items()
    }
