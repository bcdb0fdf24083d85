"""health-score's ports in memory, and facts as records, for tests."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.database.outbox import Message
from csm_common.kafka.record import Record
from health_score.application.ports import AccountRow, IntakeCounts
from health_score.domain.account import AccountState, begun_behind
from health_score.domain.journal import Entry

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def record(offset: int, event: Mapping[str, Any] | bytes, *, partition: int = 0) -> Record:
    """A record of `customer.events.v1` with the event, or with bytes that are none."""
    value = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return Record("customer.events.v1", partition, offset, EPOCH.timestamp(), None, value)


def event(id: str, account: str, type: str, data: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A CloudEvent at EPOCH from one source, unless `members` say otherwise."""
    common = {"specversion": "1.0", "source": "/tests", "time": EPOCH}
    return common | {"id": id, "type": type, "subject": account, "data": data} | members


def escalation(id: str, account: str, ticket: str, **members: Any) -> dict[str, Any]:
    """An urgent, escalated, open ticket."""
    data = {"ticket_id": ticket, "status": "open", "priority": "urgent", "escalated": True}
    return event(id, account, "csm.ticket.changed", data, **members)


class MemoryAccounts:
    """AccountRepository in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, AccountRow] = {}
        self.erased: dict[str, int] = {}

    async def load(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """Copies, as a database gives them."""
        begun = {each: begun_behind(each, self.erased[each]) for each in account_ids if each in self.erased}
        return begun | {each: deepcopy(self.rows[each].state) for each in account_ids if each in self.rows}

    async def erase(self, tx: AsyncConnection, account_ids: Collection[str]) -> int:
        """Keep the revisions alone."""
        gone = {each: self.rows.pop(each).state.revision for each in account_ids if each in self.rows}
        self.erased |= gone
        return len(gone)

    async def save(self, tx: AsyncConnection, rows: Sequence[AccountRow]) -> None:
        """Keep copies."""
        self.rows |= {row.state.account_id: deepcopy(row) for row in rows}

    async def due(
        self, tx: AsyncConnection, partitions: Collection[int], now: datetime, limit: int
    ) -> list[tuple[str, int, datetime]]:
        """Longest due first."""
        found = [
            (id_, row.partition, row.due_at)
            for id_, row in self.rows.items()
            if row.due_at is not None and row.partition in partitions and row.due_at <= now
        ]
        return sorted(found, key=lambda each: each[2])[:limit]

    async def next_due(self, tx: AsyncConnection, partitions: Collection[int]) -> datetime | None:
        """The earliest."""
        return min(
            (r.due_at for r in self.rows.values() if r.due_at and r.partition in partitions), default=None
        )


class MemoryJournal:
    """JournalRepository in memory."""

    def __init__(self) -> None:
        self.entries: dict[int, list[Entry]] = {}
        self._number = 0

    async def load(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, list[Entry]]:
        """All entries of the partitions."""
        return {each: list(self.entries.get(each, [])) for each in partitions}

    async def append(
        self, tx: AsyncConnection, facts: Mapping[int, Sequence[tuple[int, int]]], now: datetime
    ) -> dict[int, Entry]:
        """One new entry per partition."""
        made = {}
        for partition, pairs in facts.items():
            self._number += 1
            made[partition] = Entry(self._number, now.timestamp(), tuple(pairs))
            self.entries.setdefault(partition, []).append(made[partition])
        return made

    async def delete(self, tx: AsyncConnection, entries: Collection[Entry]) -> None:
        """Drop."""
        gone = {each.number for each in entries}
        self.entries = {p: [e for e in kept if e.number not in gone] for p, kept in self.entries.items()}


class MemoryIntake:
    """IntakeRepository in memory."""

    def __init__(self) -> None:
        self.counts: dict[int, IntakeCounts] = {}

    async def add(self, tx: AsyncConnection, counts: Mapping[int, IntakeCounts]) -> None:
        """Add up."""
        for partition, more in counts.items():
            total = self.counts.setdefault(partition, IntakeCounts())
            total.folded += more.folded
            total.outcomes += more.outcomes
            total.repeated += more.repeated
            total.conflicting += more.conflicting
            total.undecodable += more.undecodable


class MemoryOutbox:
    """Outbox in memory; `told` gives the data of what was written to a topic."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def add(self, tx: AsyncConnection, messages: Sequence[Message]) -> None:
        """Keep."""
        self.messages += messages

    def told(self, topic: str) -> list[dict[str, Any]]:
        """The envelopes on a topic, oldest first, without tombstones."""
        return [
            self.decoded(each) for each in self.messages if each.topic == topic and each.value is not None
        ]

    def decoded(self, message: Message) -> dict[str, Any]:
        """A message's envelope."""
        found: dict[str, Any] = msgspec.json.decode(message.value or b"")
        return found
