"""What the one writer needs of the outside: where states, histories, the journal and the counts are kept, in a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.database.outbox import Message
from health_score.domain.account import AccountState
from health_score.domain.evaluation import Evaluation
from health_score.domain.journal import Entry


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as it is stored after an evaluation; `snapshot` is the contract's AccountSnapshot as JSON, None: as before."""

    state: AccountState
    partition: int
    snapshot: bytes | None
    due_at: datetime | None
    attributes_changed: bool = True


@dataclass(frozen=True, slots=True)
class StoredCrossing:
    """A crossing as it was announced: its id on the topic, the revision it came with, and the contract's Crossing as JSON."""

    id: str
    account_id: str
    revision: int
    occurred_at: datetime
    threshold: str
    direction: str
    cause: str
    crossing: bytes


@dataclass(slots=True)
class IntakeCounts:
    """How many facts of a partition were folded (customers' own, and outcomes that our services told), repeats without effect,
    conflicts or undecodable."""

    folded: int = 0
    outcomes: int = 0
    repeated: int = 0
    conflicting: int = 0
    undecodable: int = 0


class AccountRepository(Protocol):
    """The accounts table."""

    async def load(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """The states of those of the accounts that are known; each caller gets objects of its own.

        An account that was erased is known by nothing but the revision behind which it begins.
        """
        ...

    async def erase(self, tx: AsyncConnection, offsets: Mapping[str, int]) -> int:
        """Delete all that is kept of the accounts but their last revisions; how many there were.

        `offsets` tells by account where on its partition's log the erasure stands.
        """
        ...

    async def save(self, tx: AsyncConnection, rows: Sequence[AccountRow]) -> None:
        """Write the accounts, new or known."""
        ...

    async def due(
        self, tx: AsyncConnection, partitions: Collection[int], now: datetime, limit: int
    ) -> list[tuple[str, int, datetime]]:
        """Account, partition and due instant of what is due by `now`, longest due first."""
        ...

    async def next_due(self, tx: AsyncConnection, partitions: Collection[int]) -> datetime | None:
        """When the next account of the partitions becomes due."""
        ...

    async def behind(self, tx: AsyncConnection, partition: int, model: int, limit: int) -> list[str]:
        """Accounts of the partition that were last judged by a model before this one."""
        ...


class HistoryRepository(Protocol):
    """The tables of what was told: every change of an account, and its crossings."""

    async def add(
        self, tx: AsyncConnection, changes: Sequence[Evaluation], crossings: Sequence[StoredCrossing]
    ) -> None:
        """Write them down."""
        ...

    async def erase(self, tx: AsyncConnection, account_ids: Collection[str]) -> None:
        """Delete all that is told of the accounts."""
        ...


class JournalRepository(Protocol):
    """The journal table."""

    async def load(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, list[Entry]]:
        """All entries of the partitions, oldest first."""
        ...

    async def append(
        self, tx: AsyncConnection, facts: Mapping[int, Sequence[tuple[int, int]]], now: datetime
    ) -> dict[int, Entry]:
        """One new entry per partition."""
        ...

    async def delete(self, tx: AsyncConnection, entries: Collection[Entry]) -> None:
        """Drop entries that have left the window."""
        ...


class IntakeRepository(Protocol):
    """The intake table."""

    async def add(self, tx: AsyncConnection, counts: Mapping[int, IntakeCounts]) -> None:
        """Add to the partitions' counts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Exact counts since the database was made: consumed = folded + outcomes + repeated + dead_lettered.

    `folded` are the facts that customers' systems sent; `outcomes` those that our own services told, such as a mail delivered.
    """

    consumed: int
    folded: int
    outcomes: int
    repeated: int
    conflicting: int
    undecodable: int
    dead_lettered: int
    accounts: int


class Outbox(Protocol):
    """Messages that leave once the transaction lasts."""

    async def add(self, tx: AsyncConnection, messages: Sequence[Message]) -> None:
        """Write the messages down, in this order for equal keys."""
        ...
