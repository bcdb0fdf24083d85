"""Templates on PostgreSQL, with what is shipped in force, and doors to them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.notifier.fakes import ScriptedChannel

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from notifier.adapters.templates.document import template_schema
from notifier.adapters.templates.parts import TemplateParts
from notifier.adapters.work import work_on
from notifier.entrypoints.templates_api import template_routes

SCOPES = ("notifications:read", "notifications:write", "templates:write")


@dataclass
class Doors:
    """The routes, a client that may do everything, and one that may only read."""

    parts: TemplateParts
    channel: ScriptedChannel
    app: FastAPI
    keys: MemoryKeys
    http: httpx.AsyncClient
    reader: httpx.AsyncClient


def doors_app(parts: TemplateParts, clock: ManualClock, keys: MemoryKeys) -> FastAPI:
    """The routes alone."""
    return create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[template_routes(parts.templating, parts.tests, template_schema())],
        ready={},
        alive={},
    )


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
async def parts(engine: AsyncEngine, channel: ScriptedChannel) -> AsyncIterator[TemplateParts]:
    """Started, on empty tables."""
    made = TemplateParts(engine, ManualClock(), work_on(engine), {"email": channel})
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def doors(parts: TemplateParts, channel: ScriptedChannel) -> AsyncIterator[Doors]:
    keys = MemoryKeys()
    app = doors_app(parts, ManualClock(), keys)
    writer, reader = (
        keys.add("writer", scopes=SCOPES, source="console"),
        keys.add("reader", scopes=SCOPES[:1]),
    )
    clients = [
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://notifier",
            headers={"Authorization": f"Bearer {key}"},
        )
        for key in (writer, reader)
    ]
    yield Doors(parts, channel, app, keys, *clients)
    for each in clients:
        await each.aclose()
