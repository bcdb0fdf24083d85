"""No route of the whole service tells a caller with some rows of an account that is not among them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.integration.health_score.accounts.crowd import Crowd

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.rows import Rows
from health_score.adapters.changes import PostgresFeed
from health_score.adapters.fleet import PostgresFleet
from health_score.adapters.histories import PostgresHistories
from health_score.adapters.listing import PostgresListing
from health_score.adapters.visible import PostgresSight
from health_score.application.changes import Changes
from health_score.application.explaining import Explainer
from health_score.application.told import Histories
from health_score.entrypoints.api import create_router
from health_score.entrypoints.changes import create_changes_router
from health_score.entrypoints.explain import create_explain_router
from health_score.entrypoints.export import create_export_router
from health_score.entrypoints.fleet import create_fleet_router
from health_score.entrypoints.history import create_history_router
from health_score.entrypoints.scorecards import create_scorecards_router

ROWS = Rows(team="emea")


@pytest.fixture(scope="module")
async def whole(crowd: Crowd) -> AsyncIterator[httpx.AsyncClient]:
    """All routes of the service, as somebody of the team emea."""
    engine, parts, clock = crowd.world.engine, crowd.world.parts, crowd.world.clock
    lists, histories, sight = PostgresListing(engine), PostgresHistories(engine), PostgresSight(engine)
    app = create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(crowd.keys, clock),
        routers=[
            create_explain_router(Explainer(parts.reads, histories, parts.models, clock), sight),
            create_history_router(Histories(histories, clock), histories, sight),
            create_changes_router(Changes(PostgresFeed(engine))),
            create_export_router(lists, parts.models, clock),
            create_fleet_router(PostgresFleet(engine), parts.models, clock),
            create_scorecards_router(parts.scorecards(clock)),
            create_router(parts.reads, lists, parts.models, clock),
        ],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {crowd.key(ROWS)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://health", headers=headers
    ) as client:
        yield client


async def test_no_route_tells_of_an_account_beyond_the_rows(crowd: Crowd, whole: httpx.AsyncClient) -> None:
    accounts = await crowd.stored()
    hidden = [each["account_id"] for each in accounts if each["attributes"].get("team") != ROWS.team]
    seen = next(each["account_id"] for each in accounts if each["attributes"].get("team") == ROWS.team)
    paths = (await whole.get("/openapi.json")).json()["paths"]
    own = [path for path, methods in paths.items() if "get" in methods and "{account_id}" in path]
    lists = [path for path, methods in paths.items() if "get" in methods and "{" not in path]
    assert (len(own) >= 5, len(lists) >= 5) == (True, True)
    for path in own:
        assert (await whole.get(path.replace("{account_id}", seen))).status_code == 200, path
        for each in hidden[:20]:
            assert (await whole.get(path.replace("{account_id}", each))).status_code == 404, path
    for path in lists:
        told = await whole.get(path, params={"limit": 500, "wait": 0} if path == "/v1/changes" else {})
        assert told.status_code in (200, 403, 422), path
        assert not [each for each in hidden if each in told.text], path


async def test_what_writes_refuses_callers_with_some_rows(crowd: Crowd, whole: httpx.AsyncClient) -> None:
    token = crowd.keys.add("somebody", scopes=["*"], rows=ROWS)
    paths = (await whole.get("/openapi.json")).json()["paths"]
    writing = [(path, method) for path, methods in paths.items() for method in methods if method != "get"]
    assert writing
    for path, method in writing:
        place = path.replace("{name}", "default").replace("{account_id}", "a").replace("{version}", "1")
        told = await whole.request(method, place, headers={"Authorization": f"Bearer {token}"}, json={})
        assert told.status_code == 403 or path.endswith((":validate", ":preview")), path
