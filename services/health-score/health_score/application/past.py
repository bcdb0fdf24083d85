"""A partition's past, folded from its log as the writer would have folded it: repeats and conflicts left out, erasures obeyed.

Memory is bounded: a partition with more accounts than may be held at once is read several times, each time for a share of them.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.kafka.record import Record
from health_score.application.erasures import is_afterthought, voided
from health_score.application.journals import Journals
from health_score.domain.account import AccountState, begun_behind, fold
from health_score.domain.journal import Entry
from health_score.domain.model import Model

ReadLog = Callable[[int, int], AsyncIterator[list[Record]]]
"""The records of a partition below an offset, a batch at a time."""

_NO_TRANSACTION = cast("AsyncConnection", None)  # a journal that is kept nowhere needs none


@dataclass(frozen=True, slots=True)
class Share:
    """The accounts of a partition in `of` shares of about the same size; this is the one of `number`, from 0."""

    number: int
    of: int

    def has(self, account: str) -> bool:
        """Whether the account is in this share."""
        return crc32(account.encode()) % self.of == self.number


class Past:
    """The states of a share's accounts after the records taken so far. Nothing is evaluated."""

    def __init__(self, model: Model, partition: int, share: Share, journals: Journals) -> None:
        self._model = model
        self._partition = partition
        self._share = share
        self._journals = journals
        self._claimed = False
        self._erased: set[str] = set()
        self.states: dict[str, AccountState] = {}
        self.facts = 0

    async def take(self, records: Sequence[Record]) -> None:
        """Fold one batch of the log, in its order."""
        if not self._claimed:
            await self._journals.claimed(_NO_TRANSACTION, [self._partition])
            self._claimed = True
        batch = self._journals.sort(records)
        valid = voided(batch.new)
        for account in valid.erasures:
            self.states.pop(account, None)
            self._erased.add(account)
        for each in valid.facts:
            account = each.envelope.subject
            if self._share.has(account):
                state = self.states.get(account) or self._begun(account)
                if not is_afterthought(state, each):
                    self.states[account] = state
                    fold(self._model, state, each.fact())
                    self.facts += 1
        now = datetime.fromtimestamp(records[-1].timestamp, UTC)
        self._journals.committed(await self._journals.record(_NO_TRANSACTION, batch, now))

    def _begun(self, account: str) -> AccountState:
        return begun_behind(account, 1) if account in self._erased else AccountState(account)


@dataclass(frozen=True, slots=True)
class Pasts:
    """Reads the past of any partition. `most` accounts or so are held in memory; the journal is bounded as the writer's."""

    read_log: ReadLog
    most: int
    journal_s: float
    journal_facts: int

    def shares(self, accounts: int) -> list[Share]:
        """The shares in which to read a partition of so many accounts."""
        of = 1 + accounts // self.most
        return [Share(number, of) for number in range(of)]

    async def read(self, model: Model, partition: int, until: int, share: Share) -> Past:
        """The past of a share of the partition's accounts, by the model's signals, below the offset `until`."""
        journals = Journals(_Nowhere(), window_s=self.journal_s, most_facts=self.journal_facts)
        past = Past(model, partition, share, journals)
        async for records in self.read_log(partition, until):
            await past.take(records)
        return past


class _Nowhere:
    """A journal that is kept in memory alone."""

    def __init__(self) -> None:
        self._number = 0

    async def load(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, list[Entry]]:
        """Nothing yet."""
        return {partition: [] for partition in partitions}

    async def append(
        self, tx: AsyncConnection, facts: Mapping[int, Sequence[tuple[int, int]]], now: datetime
    ) -> dict[int, Entry]:
        """Entries that only their caller keeps."""
        self._number += 1
        return {
            partition: Entry(self._number, now.timestamp(), tuple(pairs))
            for partition, pairs in facts.items()
        }

    async def delete(self, tx: AsyncConnection, entries: Collection[Entry]) -> None:
        """Nothing to do."""
