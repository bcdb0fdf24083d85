"""A writer of health-score on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.health_score.world import World
from tests.support.postgres import Database

import health_score
from csm_common.database.migrations import migrate


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """The writer, started."""
    async with database.engine("health_score") as engine:
        scripts = Path(health_score.__file__).parent / "migrations"
        await migrate(engine, schema="health_score", scripts=scripts)
        found = World(engine)
        await found.start()
        yield found
