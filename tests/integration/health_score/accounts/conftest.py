"""A few hundred accounts that the real writer made of facts, and a client of the REST API over them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.health_score.accounts.crowd import Crowd
from tests.integration.health_score.world import World
from tests.support.postgres import Database, PostgresServer

import health_score
from csm_common.database.migrations import migrate


async def _world(database: Database) -> AsyncIterator[World]:
    async with database.engine("health_score") as engine:
        scripts = Path(health_score.__file__).parent / "migrations"
        await migrate(engine, schema="health_score", scripts=scripts)
        found = World(engine)
        await found.start()
        yield found


@pytest.fixture(scope="module")
async def crowd(postgres: PostgresServer) -> AsyncIterator[Crowd]:
    """Two hundred accounts over three weeks, for tests that only read."""
    async with postgres.database() as database:
        async for world in _world(database):
            found = Crowd(world)
            await found.grow(200)
            async with found.opened():
                yield found


@pytest.fixture
async def small(database: Database) -> AsyncIterator[Crowd]:
    """Forty accounts of a test's own."""
    async for world in _world(database):
        found = Crowd(world)
        await found.grow(40)
        async with found.opened():
            yield found
