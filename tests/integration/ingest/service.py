"""Ingest as it runs, inside the test's process, over real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.support.waiting import eventually

from csm_common.database.engine import create_engine
from csm_common.runtime import run_loops
from csm_common.settings import HttpSettings, KafkaSettings
from csm_common.web.keys import KeyStore
from ingest.app import build
from ingest.settings import DoorSettings, IngestSettings


@dataclass(frozen=True, slots=True)
class Service:
    """Its door, with a key that may write events."""

    client: httpx.AsyncClient

    async def problems(self) -> dict[str, str]:
        """What it is not ready for."""
        found: dict[str, str] = (await self.client.get("/readyz")).json()["problems"]
        return found

    async def until_ready(self) -> None:
        """Wait until it is."""

        async def ready() -> bool:
            return not await self.problems()

        await eventually(ready, 60, what="ingest is ready")


async def make_key(database: Database) -> str:
    """A key that may write events, made as an administrator makes one."""
    engine = create_engine(database.admin_dsn)
    try:
        return await KeyStore(engine).create(name="test", scopes=["events:write"])
    finally:
        await engine.dispose()


@asynccontextmanager
async def running(database: Database, kafka: KafkaSettings) -> AsyncIterator[Service]:
    """The service during the block; at its end it drains as on SIGTERM."""
    settings = IngestSettings(
        http=HttpSettings(port=free_port()),
        database=database.settings("ingest"),
        kafka=kafka,
        ingest=DoorSettings(
            broker_deadline_s=6.0
        ),  # a broker that has just started, on a busy machine, takes its time
    )
    stop = asyncio.Event()
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.http.port}",
        headers={"authorization": f"Bearer {await make_key(database)}"},
        timeout=30,
    )
    async with client, build(settings) as loops:
        running = asyncio.create_task(run_loops(loops, stop, drain_timeout_s=15))
        await eventually(lambda: answers(client), what="the door is open")
        yield Service(client)
        stop.set()
        await running


async def answers(client: httpx.AsyncClient) -> bool:
    """Whether the door is open."""
    try:
        return (await client.get("/livez")).status_code == 200
    except httpx.TransportError:
        return False
