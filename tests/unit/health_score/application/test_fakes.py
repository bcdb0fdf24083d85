"""The fakes keep the promises of the real repositories."""

from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.health_score import MemoryAccounts, MemoryIntake, MemoryJournal
from tests.support.health_score_contracts import RepositoryContract, Stores


class TestFakes(RepositoryContract):
    @pytest.fixture
    def stores(self) -> Stores:
        return Stores(cast("AsyncConnection", None), MemoryAccounts(), MemoryJournal(), MemoryIntake())

    async def counts(self, stores: Stores) -> dict[int, tuple[int, ...]]:
        intake = cast("MemoryIntake", stores.intake)
        return {
            p: (c.folded, c.outcomes, c.repeated, c.conflicting, c.undecodable)
            for p, c in intake.counts.items()
        }
