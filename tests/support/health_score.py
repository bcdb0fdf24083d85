"""health-score's ports in memory, and facts as records, for tests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.database.outbox import Message
from csm_common.kafka.record import Record
from health_score.application.model_ports import ChangeKind, ModelChange, Refold, StoredCard
from health_score.application.ports import AccountRow, IntakeCounts, StoredCrossing
from health_score.application.scorecard_file import load_scorecard
from health_score.application.sources import Arrivals
from health_score.domain.account import AccountState, begun_behind
from health_score.domain.evaluation import Evaluation
from health_score.domain.journal import Entry
from health_score.domain.scorecard import Scorecard

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def plain_scorecard() -> Scorecard:
    """A scorecard that stays as it is when the shipped one changes."""
    return load_scorecard(Path(__file__).with_name("plain_scorecard.yaml").read_text(encoding="utf-8"))


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
    """AccountRepository in memory. `erased` holds the last revisions of the erased, `erased_at` where on the log that stands."""

    def __init__(self) -> None:
        self.rows: dict[str, AccountRow] = {}
        self.erased: dict[str, int] = {}
        self.erased_at: dict[str, int] = {}

    async def load(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """Copies, as a database gives them."""
        begun = {each: begun_behind(each, self.erased[each]) for each in account_ids if each in self.erased}
        return begun | {each: deepcopy(self.rows[each].state) for each in account_ids if each in self.rows}

    async def erase(self, tx: AsyncConnection, offsets: Mapping[str, int]) -> int:
        """Keep the revisions alone."""
        gone = {each: self.rows.pop(each).state.revision for each in offsets if each in self.rows}
        self.erased |= {each: max(gone.get(each, 1), self.erased.get(each, 1)) for each in offsets}
        self.erased_at |= offsets
        return len(gone)

    async def save(self, tx: AsyncConnection, rows: Sequence[AccountRow]) -> None:
        """Keep copies, with the snapshot that is known where there is no new one."""
        for row in rows:
            known = self.rows.get(row.state.account_id)
            kept = known.snapshot if row.snapshot is None and known is not None else row.snapshot
            self.rows[row.state.account_id] = replace(row, state=deepcopy(row.state), snapshot=kept)

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

    async def behind(self, tx: AsyncConnection, partition: int, model: int, limit: int) -> list[str]:
        """In any order."""
        found = [
            id_ for id_, row in self.rows.items() if row.partition == partition and row.state.model < model
        ]
        return found[:limit]


class MemoryHistory:
    """HistoryRepository in memory, as strict about keys as a database."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, int], Evaluation] = {}
        self.crossings: dict[str, StoredCrossing] = {}

    async def add(
        self, tx: AsyncConnection, changes: Sequence[Evaluation], crossings: Sequence[StoredCrossing]
    ) -> None:
        """Keep what is new; a revision or a crossing that was there before is a mistake."""
        told = {(each.account_id, each.revision): each for each in changes}
        crossed = {each.id: each for each in crossings}
        assert (len(told), len(crossed)) == (len(changes), len(crossings))
        assert not told.keys() & self.changes.keys()
        assert not crossed.keys() & self.crossings.keys()
        self.changes |= told
        self.crossings |= crossed

    async def erase(self, tx: AsyncConnection, account_ids: Collection[str]) -> None:
        """Forget the accounts."""
        self.changes = {key: each for key, each in self.changes.items() if key[0] not in account_ids}
        self.crossings = {
            id_: each for id_, each in self.crossings.items() if each.account_id not in account_ids
        }


class MemoryModels:
    """ModelRepository in memory. `position` is where the consumer stands; `erased_at` is shared with MemoryAccounts."""

    def __init__(self, erased_at: Mapping[str, int] | None = None) -> None:
        self.log: list[ModelChange] = []
        self.stored: dict[tuple[str, int], StoredCard] = {}
        self.judged_by: dict[int, int] = {}
        self.asked: dict[tuple[int, int], Refold] = {}
        self.refolded: dict[tuple[str, int], tuple[int, AccountState]] = {}
        self.position: dict[int, int] = {}
        self.erased_at = {} if erased_at is None else erased_at

    def add(self, *cards: StoredCard) -> None:
        """Store versions."""
        self.stored |= {(each.name, each.version): each for each in cards}

    def change(self, kind: ChangeKind, name: str, **more: Any) -> ModelChange:
        """Tell one more change, as somebody who asks for it does."""
        common: dict[str, Any] = {"actor": "tests", "note": "", "at": EPOCH}
        told = ModelChange(number=len(self.log) + 1, kind=kind, name=name, **(common | more))
        self.log.append(told)
        return told

    async def changes(self, tx: AsyncConnection) -> list[ModelChange]:
        """All changes so far."""
        return list(self.log)

    async def cards(self, tx: AsyncConnection, ids: Collection[tuple[str, int]]) -> list[StoredCard]:
        """These versions."""
        return [self.stored[each] for each in ids if each in self.stored]

    async def judging(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, int]:
        """Those that have one."""
        return {each: self.judged_by[each] for each in partitions if each in self.judged_by}

    async def judge_by(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """Keep it."""
        self.judged_by[partition] = model

    async def refolds(self, tx: AsyncConnection, partitions: Collection[int]) -> list[Refold]:
        """Oldest first."""
        return [each for key, each in sorted(self.asked.items()) if key[0] in partitions]

    async def begin_refold(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """Up to the position."""
        assert (partition, model) not in self.asked
        self.asked[partition, model] = Refold(partition, model, self.position.get(partition, 0))

    def refold(self, partition: int, model: int, states: Iterable[AccountState]) -> None:
        """What a refold does at its end: the states are there, and it is done."""
        self.refolded |= {(each.account_id, model): (partition, deepcopy(each)) for each in states}
        self.asked[partition, model] = replace(self.asked[partition, model], done=True)

    async def take_refolded(
        self, tx: AsyncConnection, account_ids: Collection[str], model: int
    ) -> dict[str, AccountState]:
        """Given out once; what was folded of an account before it was erased is void."""
        taken = {
            key: each for key, each in self.refolded.items() if key[0] in account_ids and key[1] <= model
        }
        self.refolded = {key: each for key, each in self.refolded.items() if key not in taken}
        return {
            account: deepcopy(state)
            for (account, number), (partition, state) in sorted(taken.items(), key=lambda each: each[0])
            if self.erased_at.get(account, -1) < self.asked[partition, number].until_offset
        }


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


class MemorySources:
    """SourceRepository in memory: by type and partition the newest arrivals."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Arrivals] = {}

    async def save(self, tx: AsyncConnection, arrivals: Sequence[tuple[str, int, Arrivals]]) -> None:
        """Replace."""
        self.rows |= {(type_, partition): deepcopy(each) for type_, partition, each in arrivals}


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
