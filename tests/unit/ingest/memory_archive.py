"""What erasure needs of the tables, in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field

from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from ingest.application.erase import Counts, ErasureReport, Known


@dataclass
class MemoryTraces:
    """Persons by all their names, each with an account or none; contact records; decisions and messages by account or person."""

    persons: list[tuple[set[str], str | None]] = field(default_factory=list)
    records: set[tuple[str, str]] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    reports: dict[str, ErasureReport] = field(default_factory=dict)

    async def of_contact(self, contact_id: str) -> Known:
        """Who this is."""
        person, account = next((each for each in self.persons if contact_id in each[0]), ({contact_id}, None))
        accounts = {account for account, name in self.records if name in person}
        return Known(frozenset(person), frozenset(accounts | ({account} if account else set())))

    async def erase_contact(
        self, known: Known, account_id: str | None
    ) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """The records, and the names where no account is named."""
        gone = {each for each in self.records if each[1] in known.names and account_id in (None, each[0])}
        self.records -= gone
        left = [each for each in self.persons if account_id is not None or not each[0] & known.names]
        names = sum(len(each[0]) for each in self.persons) - sum(len(each[0]) for each in left)
        self.persons = left
        return {"names": names}, sorted(gone)

    async def erase_account(self, account_id: str) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """The records of the account, and the names of who is in it."""
        gone = {each for each in self.records if each[0] == account_id}
        self.records -= gone
        names = sum(len(each) for each, account in self.persons if account == account_id)
        self.persons = [each for each in self.persons if each[1] != account_id]
        return {"names": names}, sorted(gone)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Keep them."""
        self.messages += messages

    async def keep(self, report: ErasureReport) -> None:
        """By id."""
        self.reports[report.id] = report

    async def report(self, erasure_id: str) -> ErasureReport | None:
        """By id."""
        return self.reports.get(erasure_id)


class MemoryArchive:
    """Transactions that are undone when they fail, as all do that end while it is `away`."""

    def __init__(self) -> None:
        self.traces = MemoryTraces()
        self.away = False
        self.awaited: list[Message] = []

    async def until_published(self, messages: Sequence[Message]) -> None:
        """Notes what was to be waited for, and that it lasts by then."""
        assert all(each in self.traces.messages for each in messages)
        self.awaited.extend(messages)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTraces]:
        """One transaction."""
        before = deepcopy(self.traces)
        try:
            yield self.traces
            if self.away:
                raise TransientError("The database does not answer right now.")
        except BaseException:
            self.traces = before
            raise
