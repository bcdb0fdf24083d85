"""Gives a model's new signals their past: folds them from a partition's log up to where the writer began to fold them itself.

Memory is bounded: a partition with more accounts than may be held at once is read several times, each time for a share of them.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol
from zlib import crc32

from csm_common.kafka.record import Record
from csm_common.telemetry.logs import get_logger
from health_score.application.model_ports import Refold
from health_score.application.models import Models
from health_score.application.past import Past
from health_score.domain.account import AccountState
from health_score.domain.model import Model, folding_only

log = get_logger(__name__)

ReadLog = Callable[[int, int], AsyncIterator[list[Record]]]
"""The records of a partition below an offset, a batch at a time."""


class Refolds(Protocol):
    """The refolds that are asked for."""

    def next(self) -> AbstractAsyncContextManager[Refold | None]:
        """One that is not done, held so that no other process takes it; None if there is none."""
        ...

    async def judging(self, partition: int) -> int:
        """The number of the model that judges the partition now."""
        ...

    async def accounts(self, partition: int) -> int:
        """How many accounts the partition has, about."""
        ...

    async def store(self, refold: Refold, states: Sequence[AccountState]) -> None:
        """Keep what was folded, in place of what was kept before of the same accounts."""
        ...

    async def done(self, refold: Refold, facts: int) -> None:
        """All of it is kept."""
        ...


class Refolding:
    """One refold after the other. `most` is how many accounts may be held in memory."""

    def __init__(
        self,
        refolds: Refolds,
        models: Models,
        read_log: ReadLog,
        *,
        most: int,
        journal_s: float,
        journal_facts: int,
    ) -> None:
        self._refolds = refolds
        self._models = models
        self._read_log = read_log
        self._most = most
        self._journal_s = journal_s
        self._journal_facts = journal_facts

    async def round(self) -> None:
        """Do all that is asked for."""
        while True:
            async with self._refolds.next() as refold:
                if refold is None:
                    return
                await self._refold(refold)

    async def _refold(self, refold: Refold) -> None:
        before = self._models.at(await self._refolds.judging(refold.partition))
        model = folding_only(self._models.at(refold.model), before.signals.keys())
        shares = 1 + await self._refolds.accounts(refold.partition) // self._most
        facts = 0
        for share in range(shares):
            facts += await self._share(refold, model, share, shares)
            log.info("refolding", partition=refold.partition, model=refold.model, share=share + 1, of=shares)
        await self._refolds.done(refold, facts)

    async def _share(self, refold: Refold, model: Model, share: int, shares: int) -> int:
        past = Past(
            model,
            refold.partition,
            wanted=lambda account: crc32(account.encode()) % shares == share,
            journal_s=self._journal_s,
            journal_facts=self._journal_facts,
        )
        async for records in self._read_log(refold.partition, refold.until_offset):
            await past.take(records)
        states = [_signals_alone(each) for each in past.states.values() if each.signals or each.trails]
        await self._refolds.store(refold, states)
        return past.facts


def _signals_alone(state: AccountState) -> AccountState:
    return replace(AccountState(state.account_id), signals=state.signals, trails=state.trails)
