"""The routes that tell of accounts, over a writer on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.integration.health_score.world import World
from tests.support.keys import MemoryKeys
from tests.support.postgres import Database

import health_score
from csm_common.database.migrations import migrate
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.rows import parse_rows
from health_score.adapters.changes import PostgresFeed
from health_score.adapters.histories import PostgresHistories
from health_score.adapters.visible import PostgresSight
from health_score.application.changes import Changes
from health_score.application.explaining import Explainer
from health_score.application.told import Histories
from health_score.entrypoints.changes import create_changes_router
from health_score.entrypoints.explain import create_explain_router
from health_score.entrypoints.history import create_history_router


@dataclass
class Told:
    """The writer, the app over its database, and the feed's loop."""

    world: World
    app: FastAPI
    keys: MemoryKeys
    changes: Changes
    stop: asyncio.Event

    def client(self, rows: str = "all", base_url: str = "http://health") -> httpx.AsyncClient:
        """With a key that sees these rows."""
        key_id = rows.replace(":", "")
        token = self.keys.add(key_id, scopes=["health:read"], rows=parse_rows(rows))
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url, headers=headers)

    async def get(self, path: str, rows: str = "all", **asked: Any) -> Any:
        """The answer's JSON, whatever its status."""
        async with self.client(rows) as client:
            return (await client.get(f"/v1/{path}", params=asked, timeout=30)).json()


@asynccontextmanager
async def telling(world: World) -> AsyncIterator[Told]:
    """The app and the feed's loop for the length of the block."""
    keys, engine, clock = MemoryKeys(), world.engine, world.clock
    histories, sight, changes = (
        PostgresHistories(engine),
        PostgresSight(engine),
        Changes(PostgresFeed(engine)),
    )
    app = create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[
            create_explain_router(Explainer(world.parts.reads, histories, world.parts.models, clock), sight),
            create_history_router(Histories(histories, clock), histories, sight),
            create_changes_router(changes),
        ],
        ready={},
        alive={},
    )
    stop = asyncio.Event()
    running = asyncio.create_task(changes.run(stop))
    yield Told(world, app, keys, changes, stop)
    stop.set()
    await running


@pytest.fixture
async def told(database: Database) -> AsyncIterator[Told]:
    """All of it, on a fresh database."""
    async with database.engine("health_score") as engine:
        scripts = Path(health_score.__file__).parent / "migrations"
        await migrate(engine, schema="health_score", scripts=scripts)
        world = World(engine)
        await world.start()
        async with telling(world) as found:
            yield found
