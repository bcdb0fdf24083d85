"""The routes of scorecards over the database of a running writer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from tests.integration.health_score.world import World
from tests.support.keys import MemoryKeys

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from health_score.entrypoints.scorecards import create_scorecards_router


def scorecards_app(world: World, keys: MemoryKeys) -> FastAPI:
    """The app with these routes alone."""
    return create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(keys, world.clock),
        routers=[create_scorecards_router(world.parts.scorecards(world.clock))],
        ready={},
        alive={},
    )


class ScorecardsApi:
    """Asks the routes; what is changed is taken up by the writer as its poller would have it."""

    def __init__(self, world: World, client: httpx.AsyncClient) -> None:
        self.world = world
        self.client = client

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer, which must be 200."""
        answer = await self.client.get(f"/v1{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """Send YAML (a text) or JSON (anything else)."""
        how: dict[str, Any] = (
            {"content": body, "headers": {"content-type": "application/yaml"}}
            if isinstance(body, str)
            else {"json": body}
        )
        answer = await self.client.post(f"/v1{path}", params=query, **how)
        self.world.parts.duties.look_out()
        return answer

    async def done(self, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of a request that must succeed."""
        answer = await self.post(path, body, **query)
        assert answer.is_success, answer.text
        return answer.json()


@asynccontextmanager
async def scorecards_api(world: World) -> AsyncIterator[ScorecardsApi]:
    """With a key that may read and write, of the source `ops`."""
    keys = MemoryKeys()
    token = keys.add("writer", scopes=["health:read", "scorecards:write"], source="ops")
    keys.add("reader", scopes=["health:read"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(scorecards_app(world, keys)),
        base_url="http://health",
        headers={"authorization": f"Bearer {token}"},
    ) as client:
        yield ScorecardsApi(world, client)
