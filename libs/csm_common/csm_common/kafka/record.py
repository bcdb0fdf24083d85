"""What a consumer hands to a service, and what it gets back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.topics import Topic
from csm_common.database.positions import Partition


class Record(NamedTuple):
    """One record as it lies on the log. `timestamp` is in epoch seconds, `value` None is a tombstone.

    A tuple because one is made per record: it costs a quarter of a frozen dataclass.
    """

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    traceparent: str | None = None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that no retry can help. `poison` ones count towards the limit that stops the partition; refusals that the
    sender caused (say, a known id with another body) do not, or one careless client could stop everybody's events."""

    record: Record
    code: str
    reason: str
    poison: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler did inside the transaction; `committed` runs once it is certain that it lasts."""

    dead_letters: Sequence[DeadLetter] = ()
    committed: Callable[[], None] = field(default=lambda: None)


class BatchHandler(Protocol):
    """A service's side of the consumer: all its writes go through the transaction it is given."""

    name: str
    topics: tuple[Topic, ...]

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """These are all the partitions now ours: whatever was remembered of others may be stale."""
        ...

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Apply the records. TransientError puts the batch back; any other error isolates the record at fault."""
        ...

    def next_due(self) -> datetime | None:
        """When `handle_due` wants to be called next, if nothing arrives."""
        ...

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Apply what has become due in the partitions that are ours."""
        ...

    def forget(self) -> None:
        """The transaction failed: memory of what it touched may be ahead of the database; drop it."""
        ...


class WithoutTimers:
    """What a BatchHandler need not do that remembers nothing and has no timers."""

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Nothing is remembered of any partition."""

    def next_due(self) -> datetime | None:
        """Never."""
        return None

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Nothing ever becomes due."""
        return Outcome()

    def forget(self) -> None:
        """Nothing is remembered."""
