"""What the HTTP door for runs must do; run on the store in memory in unit/ and on PostgreSQL in integration/."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.contracts.reads import with_all_kinds
from tests.unit.playbooks.runs.scenes import Scene

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.pages import encode_cursor
from playbooks.application.run_bulk import BulkDesk
from playbooks.application.run_desk import RunDesk
from playbooks.entrypoints.run_desk_api import create_run_desk_router
from playbooks.entrypoints.runs_api import create_runs_router

WHY = {"reason": "they called us"}


class RunsHttpContract:
    """Subclass it with a fixture `scene` over an empty store."""

    @pytest.fixture
    async def played(self, scene: Scene) -> Scene:
        return await with_all_kinds(scene)

    @pytest.fixture
    def keys(self) -> MemoryKeys:
        return MemoryKeys()

    @pytest.fixture
    def app(self, played: Scene, keys: MemoryKeys) -> FastAPI:
        desk = RunDesk(played.transactions, played.clock, lambda: None)
        bulk = BulkDesk(played.transactions, played.reads, played.clock)
        return create_web_app(
            title="playbooks",
            description="",
            authenticator=Authenticator(keys, played.clock),
            routers=[create_runs_router(played.reads), create_run_desk_router(desk, bulk)],
            ready={},
            alive={},
        )

    @pytest.fixture
    async def client(self, app: FastAPI, keys: MemoryKeys) -> AsyncIterator[httpx.AsyncClient]:
        token = keys.add(scopes=["playbooks:write", "playbooks:read"], source="console")
        headers = {"Authorization": f"Bearer {token}", "X-CSM-Person": "ana"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client

    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({}, 5),
            ({"account": "acme", "playbook": "a", "version": 1, "status": "active", "step": "ask"}, 1),
            ({"purpose": "growth", "awaits": "hold", "held": "true"}, 1),
            ({"failed": "true", "status": "failed"}, 1),
            ({"started_from": "2026-03-03T09:00:00Z"}, 1),
            ({"started_to": "2026-03-03T10:00:00+01:00"}, 4),
            ({"crossing": "c-2"}, 1),
            ({"account": "nobody"}, 0),
        ],
        ids=lambda each: " ".join(each) or "all" if isinstance(each, dict) else "",
    )
    async def test_runs_are_listed_by_what_people_look_for(
        self, client: httpx.AsyncClient, params: dict[str, Any], found: int
    ) -> None:
        page = await answer(client, "/v1/runs", **params)
        assert (len(page["runs"]), page["next_cursor"]) == (found, None)

    @pytest.mark.parametrize(
        ("params", "status"),
        [
            ({"started_from": "0001-01-01T00:00:00Z"}, 200),
            ({"started_to": "9999-12-31T23:59:59Z"}, 200),
            ({"started_from": "0001-01-01T00:00:00+05:00"}, 422),
            ({"started_to": "9999-12-31T23:59:59-05:00"}, 422),
            ({"cursor": encode_cursor("9999-12-31T23:59:59-05:00", "x")}, 400),
        ],
        ids=["the first", "the last", "before the first", "after the last", "a cursor after the last"],
    )
    async def test_instants_at_the_ends_of_time_break_nothing(
        self, client: httpx.AsyncClient, params: dict[str, Any], status: int
    ) -> None:
        await answer(client, "/v1/runs", status, **params)

    @pytest.mark.parametrize(("path", "rows", "count"), [("runs", "runs", 5), ("entries", "entries", 6)])
    async def test_pages_join_up(self, client: httpx.AsyncClient, path: str, rows: str, count: int) -> None:
        whole = (await answer(client, f"/v1/{path}"))[rows]
        assert len(whole) == count
        paged: list[Any] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            page = await answer(client, f"/v1/{path}", **params)
            paged += page[rows]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert paged == whole

    async def test_a_run_tells_its_story(self, client: httpx.AsyncClient) -> None:
        run = await the_run(client, account="acme", playbook="a")
        detail = await answer(client, f"/v1/runs/{run['id']}")
        assert detail["run"] == run
        assert [(each["what"], each["step"], each["path"]) for each in detail["timeline"]] == [
            ("entered", None, None),
            ("step", "by_plan", "pro"),
            ("step", "follow_up", None),
            ("waiting", "ask", None),
        ]
        assert detail["timeline"][0]["fact_ids"] == ["fact-1", "fact-2"]

    async def test_entries_tell_why_no_run_was_started(self, client: httpx.AsyncClient) -> None:
        params = {"account": "beta", "playbook": "a", "outcome": "refused", "code": "already_active"}
        [entry] = (await answer(client, "/v1/entries", **params, since="2026-03-03T09:00:00Z"))["entries"]
        assert (entry["crossing_id"], entry["run_id"]) == ("c-5", None)

    async def test_a_failed_run_is_tried_again_cancelled_and_then_left(
        self, client: httpx.AsyncClient
    ) -> None:
        path = f"/v1/runs/{(await the_run(client, status='failed'))['id']}"
        handled = await act(client, f"{path}:retry")
        assert (handled["changed"], handled["run"]["status"]) == (True, "active")
        assert (await act(client, f"{path}:retry"))["changed"] is False
        handled = await act(client, f"{path}:cancel", WHY)
        assert handled["run"]["reason"] == "cancelled by person:ana via key:console: they called us"
        assert (await act(client, f"{path}:cancel", WHY))["changed"] is False
        problem = await act(client, f"{path}:retry", expected=409)
        assert problem["code"] == "conflict"
        told = (await answer(client, path))["timeline"]
        assert [(each["what"], each["actor"]) for each in told[-2:]] == [
            ("retried", "person:ana via key:console"),
            ("cancelled", "person:ana via key:console"),
        ]

    async def test_a_wait_is_skipped_and_a_question_is_not(self, client: httpx.AsyncClient) -> None:
        held = await the_run(client, held="true")
        path = f"/v1/runs/{held['id']}:skip"
        handled = await act(client, path, WHY | {"step": held["step"]})
        assert (handled["changed"], handled["run"]["status"]) == (True, "completed")
        asked = await the_run(client, account="acme", awaits="approval")
        problem = await act(client, f"/v1/runs/{asked['id']}:skip", WHY, expected=409)
        assert ":approve or :reject" in problem["message"]

    async def test_all_runs_of_a_playbook_are_cancelled_after_a_look(self, client: httpx.AsyncClient) -> None:
        wanted = WHY | {"playbook": "a", "version": 1, "step": "ask"}
        counted = await act(client, "/v1/runs:cancel", wanted | {"dry_run": True})
        assert (counted["matched"], counted["cancelled"]) == (2, 0)
        done = await act(client, "/v1/runs:cancel", wanted)
        assert done == {"matched": 2, "cancelled": 2, "remaining": 0, "open_tasks": 2, "dry_run": False}
        assert len((await answer(client, "/v1/runs", status="cancelled"))["runs"]) == 2
        assert (await act(client, "/v1/runs:cancel", wanted))["matched"] == 0

    @pytest.mark.parametrize(
        ("path", "body"),
        [(":retry", None), (":cancel", WHY), (":skip", WHY)],
        ids=["retry", "cancel", "skip"],
    )
    async def test_what_is_not_there_is_404(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any] | None
    ) -> None:
        problem = await act(client, f"/v1/runs/none{path}", body, expected=404)
        assert "'none'" in problem["message"]
        assert (await answer(client, "/v1/runs/none", 404))["code"] == "not_found"


async def answer(client: httpx.AsyncClient, path: str, expected: int = 200, /, **params: Any) -> Any:
    response = await client.get(path, params=params)
    assert response.status_code == expected, response.text
    return response.json()


async def act(
    client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None, *, expected: int = 200
) -> Any:
    response = await client.post(path, json=body)
    assert response.status_code == expected, response.text
    return response.json()


async def the_run(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """The one run that there is of these."""
    found: dict[str, Any]
    [found] = (await answer(client, "/v1/runs", **params))["runs"]
    return found
