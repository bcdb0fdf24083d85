"""The HTTP door: answers, pages, keys and refusals."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.builders import a_crossing, a_definition, a_snapshot, received
from tests.unit.playbooks.memory import MemoryDatabase, MemoryReads

from csm_common.errors import TransientError
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.application.handlers.steps import advance_due
from playbooks.application.model import Task
from playbooks.application.timeline import RunDetail
from playbooks.domain.definition import Entry
from playbooks.entrypoints import examples
from playbooks.entrypoints.api import EntryPage, PlaybookList, RunPage, TaskPage, create_router


@pytest.fixture
async def database() -> MemoryDatabase:
    """Three accounts have entered, one of them was refused a second time; every run has come to its wait or its end."""
    database, clock = MemoryDatabase(), ManualClock()
    definitions = [
        a_definition(entry=Entry(once_per="7d")),
        a_definition("account_critical", steps=a_definition().steps[2:], threshold="critical"),
    ]
    await publish(database, definitions, clock)
    for number, account in enumerate(("acme", "beta", "gamma")):
        async with database.begin() as store:
            crossing = a_crossing(
                account, snapshot=a_snapshot(account, attributes={"owner": f"owner-{number}"})
            )
            await handle_crossings(store, [received(f"c-{number}", crossing)], clock.now())
    async with database.begin() as store:
        critical = a_crossing("acme", threshold="critical")
        await handle_crossings(store, [received("c-8", critical), received("c-9", a_crossing())], clock.now())
    for _ in range(2):
        await advance_due(database, clock.now(), limit=100, retry_after_s=())
    return database


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def reads(database: MemoryDatabase) -> MemoryReads:
    return MemoryReads(database)


@pytest.fixture
def app(reads: MemoryReads, keys: MemoryKeys) -> FastAPI:
    return create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[create_router(reads)],
        ready={},
        alive={},
    )


@pytest.fixture
async def client(app: FastAPI, keys: MemoryKeys) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {keys.add(scopes=['playbooks:read'])}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def answer(client: httpx.AsyncClient, path: str, expected: int = 200, /, **params: Any) -> Any:
    response = await client.get(path, params=params)
    assert response.status_code == expected, response.text
    return response.json()


async def test_runs_are_listed_and_filtered(client: httpx.AsyncClient) -> None:
    assert len((await answer(client, "/v1/runs"))["runs"]) == 4
    found = await answer(client, "/v1/runs", account="acme", playbook="account_at_risk", status="active")
    [run] = found["runs"]
    assert (run["account_id"], run["step"], run["waiting_until"]) == ("acme", "wait", "2026-03-04T09:00:00Z")
    assert found["next_cursor"] is None
    assert (await answer(client, "/v1/runs", account="nobody"))["runs"] == []


@pytest.mark.parametrize(
    ("path", "rows", "count"), [("runs", "runs", 4), ("tasks", "tasks", 1), ("entries", "entries", 5)]
)
async def test_pages_join_up(client: httpx.AsyncClient, path: str, rows: str, count: int) -> None:
    whole = (await answer(client, f"/v1/{path}"))[rows]
    assert len(whole) == count
    paged: list[Any] = []
    params: dict[str, Any] = {"limit": 1}
    while True:
        page = await answer(client, f"/v1/{path}", **params)
        paged += page[rows]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == whole


async def test_a_run_tells_its_story(client: httpx.AsyncClient) -> None:
    [run] = (await answer(client, "/v1/runs", account="acme", playbook="account_at_risk"))["runs"]
    detail = await answer(client, f"/v1/runs/{run['id']}")
    assert detail["run"] == run
    assert [(each["what"], each["step"], each["until"]) for each in detail["timeline"]] == [
        ("entered", None, None),
        ("step", "tell", None),
        ("waiting", "wait", "2026-03-04T09:00:00Z"),
    ]
    assert detail["timeline"][0]["fact_ids"] == ["fact-1", "fact-2"]


async def test_tasks_are_listed_filtered_and_read(client: httpx.AsyncClient) -> None:
    [task] = (await answer(client, "/v1/tasks", account="acme", owner="maria", status="open"))["tasks"]
    assert await answer(client, f"/v1/tasks/{task['id']}") == task
    assert (task["title"], task["due_at"]) == ("Call them", "2026-03-03T09:00:00Z")
    assert (await answer(client, "/v1/tasks", owner="nobody"))["tasks"] == []


async def test_entries_tell_why_no_run_was_started(client: httpx.AsyncClient) -> None:
    entries = (await answer(client, "/v1/entries", account="acme"))["entries"]
    assert {each["crossing_id"]: (each["outcome"], each["code"]) for each in entries} == {
        "c-0": ("started", None),
        "c-8": ("started", None),
        "c-9": ("refused", "already_active"),
    }


async def test_playbooks_are_shown_as_they_were_written(client: httpx.AsyncClient) -> None:
    first, second = (await answer(client, "/v1/playbooks"))["playbooks"]
    assert [(each["name"], each["version"], each["active"]) for each in (first, second)] == [
        ("account_at_risk", 1, True),
        ("account_critical", 1, True),
    ]
    assert first["definition"]["steps"][1] == {"name": "wait", "wait": "2d"}


@pytest.mark.parametrize("path", ["/v1/runs/none", "/v1/tasks/none"])
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    problem = await answer(client, path, 404)
    assert problem["code"] == "not_found"
    assert "'none'" in problem["message"]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/v1/runs", {"limit": 0}, 422),
        ("/v1/runs", {"limit": 501}, 422),
        ("/v1/runs", {"status": "sleeping"}, 422),
        ("/v1/runs", {"account": "a\x00b"}, 422),
        ("/v1/runs/a%00b", {}, 422),
        ("/v1/runs", {"cursor": "nonsense"}, 400),
        ("/v1/tasks", {"cursor": "WyIyMDI2LTAzLTAyVDA5OjAwOjAwIiwieCJd"}, 400),  # an instant without a zone
        ("/v1/entries", {"cursor": "WyIyMDI2LTAzLTAyVDA5OjAwOjAwWiIsIlx1MDAwMCJd"}, 400),  # an id with a NUL
    ],
)
async def test_what_cannot_be_asked_is_refused(
    client: httpx.AsyncClient, path: str, params: dict[str, Any], status: int
) -> None:
    assert isinstance((await answer(client, path, status, **params))["code"], str)


PATHS = ["/v1/runs", "/v1/runs/x", "/v1/tasks", "/v1/tasks/x", "/v1/playbooks", "/v1/entries"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_route_needs_a_key_with_the_scope(
    client: httpx.AsyncClient, keys: MemoryKeys, path: str
) -> None:
    assert (await client.get(path, headers={"Authorization": ""})).status_code == 401
    other = {"Authorization": f"Bearer {keys.add('k2', scopes=['health:read'])}"}
    assert (await client.get(path, headers=other)).status_code == 403


async def test_a_database_that_is_away_is_503(client: httpx.AsyncClient, reads: MemoryReads) -> None:
    reads.away = TransientError("The database does not answer right now.", retry_after=3)
    response = await client.get("/v1/runs")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


@pytest.mark.parametrize(
    ("answer_type", "example"),
    [
        (RunPage, examples.RUN_PAGE),
        (RunDetail, examples.RUN_DETAIL),
        (TaskPage, examples.TASK_PAGE),
        (Task, examples.TASK),
        (PlaybookList, examples.PLAYBOOK_LIST),
        (EntryPage, examples.ENTRY_PAGE),
    ],
)
def test_the_examples_are_answers_that_can_be_given(answer_type: Any, example: dict[str, Any]) -> None:
    adapter = TypeAdapter(answer_type)
    exclude_none = answer_type is PlaybookList
    given = adapter.dump_python(adapter.validate_python(example), mode="json", exclude_none=exclude_none)
    assert given == example


async def test_the_description_names_every_route(client: httpx.AsyncClient) -> None:
    paths = (await answer(client, "/openapi.json"))["paths"]
    assert sorted(paths) == [
        "/v1/entries",
        "/v1/playbooks",
        "/v1/runs",
        "/v1/runs/{run_id}",
        "/v1/tasks",
        "/v1/tasks/{task_id}",
    ]
