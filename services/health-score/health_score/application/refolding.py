"""Gives a model's new signals their past: folds them from a partition's log up to where the writer began to fold them itself."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from csm_common.telemetry.logs import get_logger
from health_score.application.model_ports import Refold
from health_score.application.models import Models
from health_score.application.past import Pasts, Share
from health_score.domain.account import AccountState
from health_score.domain.model import Model, folding_only

log = get_logger(__name__)


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
    """One refold after the other."""

    def __init__(self, refolds: Refolds, models: Models, pasts: Pasts) -> None:
        self._refolds = refolds
        self._models = models
        self._pasts = pasts

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
        facts = 0
        for share in self._pasts.shares(await self._refolds.accounts(refold.partition)):
            facts += await self._fold(refold, model, share)
            log.info(
                "refolding",
                partition=refold.partition,
                model=refold.model,
                share=share.number + 1,
                of=share.of,
            )
        await self._refolds.done(refold, facts)

    async def _fold(self, refold: Refold, model: Model, share: Share) -> int:
        past = await self._pasts.read(model, refold.partition, refold.until_offset, share)
        states = [_signals_alone(each) for each in past.states.values() if each.signals or each.trails]
        await self._refolds.store(refold, states)
        return past.facts


def _signals_alone(state: AccountState) -> AccountState:
    return replace(AccountState(state.account_id), signals=state.signals, trails=state.trails)
