"""The journals of the partitions that are ours, and the sorting of a batch into new facts, repeats and conflicts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.kafka.record import DeadLetter, Record
from health_score.application.decoding import Decoded, decode
from health_score.application.ports import IntakeCounts, JournalRepository
from health_score.domain.journal import Entry, Journal


@dataclass(slots=True)
class Sorted:
    """A batch after the journal: what is to be folded, what is dead, and how many of each by partition."""

    new: list[Decoded] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    hashes: dict[int, dict[int, int]] = field(default_factory=dict)
    counts: dict[int, IntakeCounts] = field(default_factory=dict)


class Journals:
    """One journal per partition, read when a partition is claimed and written with every batch."""

    def __init__(self, repository: JournalRepository, *, window_s: float, most_facts: int) -> None:
        self._repository = repository
        self._window_s = window_s
        self._most_facts = most_facts
        self._journals: dict[int, Journal] = {}

    async def claimed(self, tx: AsyncConnection, partitions: Collection[int]) -> None:
        """Read the journals of exactly these partitions."""
        self._journals = {}
        for partition, entries in (await self._repository.load(tx, partitions)).items():
            journal = Journal(window_s=self._window_s, most_facts=self._most_facts)
            journal.remember(entries)
            self._journals[partition] = journal

    def sort(self, records: Iterable[Record]) -> Sorted:
        """Tell new facts from repeats and conflicts, also among the records themselves. Remembers nothing yet."""
        batch = Sorted()
        for record in records:
            counts = batch.counts.get(record.partition)
            if counts is None:
                counts = batch.counts[record.partition] = IntakeCounts()
            decoded = decode(record)
            if isinstance(decoded, DeadLetter):
                counts.undecodable += 1
                batch.dead_letters.append(decoded)
            else:
                self._take(batch, counts, decoded)
        return batch

    def _take(self, batch: Sorted, counts: IntakeCounts, decoded: Decoded) -> None:
        partition, id_hash = decoded.record.partition, decoded.id_hash
        hashes = batch.hashes.get(partition)
        if hashes is None:
            hashes = batch.hashes[partition] = {}
        known = hashes.get(id_hash)
        if known is None:
            known = self._journals[partition].known(id_hash)
        if known is None:
            hashes[id_hash] = decoded.body_hash
            batch.new.append(decoded)
            if decoded.is_outcome:
                counts.outcomes += 1
            else:
                counts.folded += 1
        elif known == decoded.body_hash:
            counts.repeated += 1
        else:
            counts.conflicting += 1
            batch.dead_letters.append(_conflict(decoded))

    async def record(self, tx: AsyncConnection, batch: Sorted, now: datetime) -> "Recorded":
        """Write the batch's new facts, and drop from the table what has left the window."""
        entries: Mapping[int, Entry] = {}
        facts = {partition: list(hashes.items()) for partition, hashes in batch.hashes.items() if hashes}
        if facts:
            entries = await self._repository.append(tx, facts, now)
        expired = {
            partition: self._journals[partition].expired(now.timestamp()) for partition in batch.counts
        }
        if any(expired.values()):
            await self._repository.delete(tx, [entry for each in expired.values() for entry in each])
        return Recorded(entries, expired)

    def committed(self, recorded: "Recorded") -> None:
        """The transaction lasts: remember what it recorded."""
        for partition, entries in recorded.expired.items():
            self._journals[partition].forget(entries)
        for partition, entry in recorded.entries.items():
            self._journals[partition].remember([entry])


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a transaction changed in the table."""

    entries: Mapping[int, Entry]
    expired: Mapping[int, Sequence[Entry]]


def _conflict(decoded: Decoded) -> DeadLetter:
    envelope = decoded.envelope
    reason = (
        f"An event with the id {envelope.id!r} of {envelope.source!r} was folded before, with another body."
    )
    return DeadLetter(decoded.record, "conflicting_id", reason, poison=False)
