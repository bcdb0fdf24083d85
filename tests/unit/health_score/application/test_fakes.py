"""The fakes keep the promises of the real repositories."""

from collections.abc import Iterable
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.health_score import (
    MemoryAccounts,
    MemoryHistory,
    MemoryIntake,
    MemoryJournal,
    MemoryModels,
)
from tests.support.health_score_contracts import PARTITION, POSITION, RepositoryContract, Stores

from health_score.application.model_ports import ChangeKind, ModelChange, StoredCard
from health_score.domain.account import AccountState


class TestFakes(RepositoryContract):
    @pytest.fixture
    def stores(self) -> Stores:
        accounts = MemoryAccounts()
        models = MemoryModels(accounts.erased_at)
        history, journal, intake = MemoryHistory(), MemoryJournal(), MemoryIntake()
        return Stores(cast("AsyncConnection", None), accounts, history, models, journal, intake)

    async def counts(self, stores: Stores) -> dict[int, tuple[int, ...]]:
        intake = cast("MemoryIntake", stores.intake)
        return {
            p: (c.folded, c.outcomes, c.repeated, c.conflicting, c.undecodable)
            for p, c in intake.counts.items()
        }

    async def told(self, stores: Stores) -> list[tuple[str, int]]:
        return sorted(cast("MemoryHistory", stores.history).changes)

    async def crossed(self, stores: Stores) -> list[str]:
        return sorted(cast("MemoryHistory", stores.history).crossings)

    async def change(self, stores: Stores, kind: ChangeKind, name: str, **more: Any) -> ModelChange:
        return cast("MemoryModels", stores.models).change(kind, name, **more)

    async def store(self, stores: Stores, cards: Iterable[StoredCard]) -> None:
        cast("MemoryModels", stores.models).add(*cards)

    async def stand(self, stores: Stores) -> None:
        cast("MemoryModels", stores.models).position[PARTITION] = POSITION

    async def refold(self, stores: Stores, model: int, states: Iterable[AccountState]) -> None:
        cast("MemoryModels", stores.models).refold(PARTITION, model, states)
