"""Ingest's tables in memory, for the port's contract and for tests that need no server."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.unit.ingest.memory_contacts import MemoryContacts

from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from ingest.application.ports import Decision, Rejection
from ingest.application.replays import Selection
from ingest.domain.people import Circle, Person


@dataclass
class MemoryPeople:
    """Names and decisions."""

    persons: dict[str, str] = field(default_factory=dict)
    known: dict[str, Person] = field(default_factory=dict)
    decided: dict[str, Decision] = field(default_factory=dict)
    locks: list[bool] = field(default_factory=list)

    async def lock(self, names: Collection[str], *, merging: bool) -> dict[str, Person]:
        """There is nobody to keep out; `locks` tells whether everybody was to be."""
        self.locks.append(merging)
        found = {name: self.known[self.persons[name]] for name in names if name in self.persons}
        return found | {person.name: person for person in found.values()}

    async def save(self, circle: Circle) -> None:
        """Write down what changed."""
        self.persons = {name: circle.merged.get(person, person) for name, person in self.persons.items()}
        for name, person in circle.changed.items():
            self.persons[name] = person.name
            if person.name == name:
                self.known[name] = person

    async def decisions(self, keys: Collection[str]) -> dict[str, Decision]:
        """What was decided for these messages before."""
        return {key: self.decided[key] for key in keys if key in self.decided}

    async def decide(self, decisions: Mapping[str, Decision], now: datetime) -> None:
        """Keep decisions; what was decided before stays."""
        self.decided = dict(decisions) | self.decided


@dataclass
class MemoryRejections:
    """Rejections by id; `times` counts how often each came."""

    rows: dict[str, Rejection] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    people: MemoryPeople = field(default_factory=MemoryPeople)

    async def add(self, rejections: Sequence[Rejection]) -> None:
        """Keep them; one that is kept already is counted once more, and is open again where it was replayed."""
        for each in {each.id: each for each in rejections}.values():
            _check_texts(each)
            known = self.rows.get(each.id, each)
            self.rows[each.id] = replace(known, code=each.code, reason=each.reason)
            self.times[each.id] = self.times.get(each.id, 0) + 1
            self.done.discard(each.id)

    async def held(self, keys: Collection[str]) -> dict[str, Rejection]:
        """Of these messages those that wait for their account, by message key."""
        return {row.message_key: row for row in self._open() if row.message_key in keys and row.person}

    async def release(self, persons: Collection[str], limit: int) -> Sequence[Rejection]:
        """Take out the oldest so many of the messages that wait for these persons, in their order."""
        found = sorted((row for row in self._open() if row.person in persons), key=_age)[:limit]
        for row in found:
            del self.rows[row.id]
        return found

    async def waiting_in_vain(self, limit: int) -> Sequence[str]:
        """So many persons for whom messages wait although it is known which account they are in."""
        waiting = sorted({row.person for row in self._open() if row.person})
        known = self.people.known
        return [name for name in waiting if name in known and known[name].account is not None][:limit]

    async def rename(self, persons: Mapping[str, str]) -> None:
        """What waited for one name waits for another from now on."""
        for row in list(self.rows.values()):
            if row.person is not None and row.person in persons:
                self.rows[row.id] = replace(row, person=persons[row.person])

    async def claim(self, selection: Selection, after: str, now: datetime, limit: int) -> Sequence[Rejection]:
        """Listed ones to try again, in the order of their ids behind `after`."""
        found = [
            row
            for row in sorted(self._open(), key=lambda row: row.id)
            if row.id > after
            and row.listed_from <= now
            and (not selection.ids or row.id in selection.ids)
            and selection.source in (None, row.source)
            and selection.code in (None, row.code)
        ]
        return found[:limit]

    async def replayed(self, ids: Collection[str], now: datetime) -> None:
        """These were taken this time."""
        self.done |= set(ids)

    async def refused_again(self, reasons: Mapping[str, tuple[str, str]]) -> None:
        """These were not, for this code and reason."""
        for key in reasons.keys() & self.rows.keys():
            code, reason = reasons[key]
            self.rows[key] = replace(self.rows[key], code=code, reason=reason)
            self.times[key] += 1

    def _open(self) -> list[Rejection]:
        return [row for row in self.rows.values() if row.id not in self.done]


def _check_texts(row: Rejection) -> None:
    """ValueError for what PostgreSQL has no place for."""
    told = [row.message_id, row.source, row.format, row.code, row.reason, row.person, *row.context.values()]
    for each in told:
        if each and b"\0" in each.encode():
            raise ValueError(f"a text holds U+0000: {each!r}")


def _age(row: Rejection) -> tuple[datetime, str]:
    return row.received_at, row.id


@dataclass
class MemoryOutbox:
    """What is to be published."""

    messages: list[Message] = field(default_factory=list)

    async def add(self, messages: Sequence[Message]) -> None:
        """Messages to be published once the work is committed."""
        self.messages += messages


@dataclass
class MemoryWork:
    """All tables."""

    people: MemoryPeople = field(default_factory=MemoryPeople)
    rejections: MemoryRejections = field(default_factory=MemoryRejections)
    contacts: MemoryContacts = field(default_factory=MemoryContacts)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)

    def __post_init__(self) -> None:
        """One table is looked up from another."""
        self.rejections.people = self.people


class MemoryStore:
    """Implements ingest's Store. `tables` is what is committed; while `away` is set nothing can be begun."""

    def __init__(self) -> None:
        self.tables = MemoryWork()
        self.away = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryWork]:
        """A transaction: what is done in the block lasts unless it raises."""
        if self.away:
            raise TransientError("The database does not answer.", code="database_unavailable")
        work = deepcopy(self.tables)
        yield work
        self.tables = work
