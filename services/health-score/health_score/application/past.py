"""A partition's past, folded from its log as the writer would have folded it: repeats and conflicts left out, erasures obeyed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.kafka.record import Record
from health_score.application.erasures import is_afterthought, voided
from health_score.application.journals import Journals
from health_score.domain.account import AccountState, begun_behind, fold
from health_score.domain.journal import Entry
from health_score.domain.model import Model

_NO_TRANSACTION = cast("AsyncConnection", None)  # a journal that is kept nowhere needs none


class Past:
    """The states of those accounts that `wanted` names, after the records taken so far. Nothing is evaluated."""

    def __init__(
        self,
        model: Model,
        partition: int,
        *,
        wanted: Callable[[str], bool],
        journal_s: float,
        journal_facts: int,
    ) -> None:
        self._model = model
        self._partition = partition
        self._wanted = wanted
        self._journals = Journals(_Nowhere(), window_s=journal_s, most_facts=journal_facts)
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
            if self._wanted(account):
                state = self.states.get(account) or self._begun(account)
                if not is_afterthought(state, each):
                    self.states[account] = state
                    fold(self._model, state, each.fact())
                    self.facts += 1
        now = datetime.fromtimestamp(records[-1].timestamp, UTC)
        self._journals.committed(await self._journals.record(_NO_TRANSACTION, batch, now))

    def _begun(self, account: str) -> AccountState:
        return begun_behind(account, 1) if account in self._erased else AccountState(account)


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
