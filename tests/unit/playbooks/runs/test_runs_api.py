"""The HTTP door for runs on the store in memory: the contract, refusals, keys and the description."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.contracts.runs_http import WHY, RunsHttpContract, answer
from tests.unit.playbooks.runs.scenes import Scene

from csm_common.errors import TransientError
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.application.run_bulk import BulkCancelled
from playbooks.application.run_desk import Handled
from playbooks.application.timeline import RunDetail
from playbooks.entrypoints import examples
from playbooks.entrypoints.runs_api import EntryPage, RunPage

READING = ["/v1/runs", "/v1/runs/x", "/v1/entries"]
CHANGING = ["/v1/runs/x:retry", "/v1/runs/x:cancel", "/v1/runs/x:skip", "/v1/runs:cancel"]


class TestRunsApi(RunsHttpContract):
    """RunsHttpContract in memory."""

    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()

    @pytest.mark.parametrize(
        ("path", "params", "status"),
        [
            ("/v1/runs", {"limit": 0}, 422),
            ("/v1/runs", {"limit": 501}, 422),
            ("/v1/runs", {"status": "sleeping"}, 422),
            ("/v1/runs", {"awaits": "rain"}, 422),
            ("/v1/runs", {"version": 0}, 422),
            ("/v1/runs", {"version": 2**40}, 422),
            ("/v1/runs", {"account": "a\x00b"}, 422),
            ("/v1/runs", {"step": "a\x00b"}, 422),
            ("/v1/runs", {"started_from": "2026-03-02T09:00:00"}, 422),  # without a zone
            ("/v1/runs/a%00b", {}, 422),
            ("/v1/runs", {"cursor": "nonsense"}, 400),
            ("/v1/entries", {"code": "weather"}, 422),
            (
                "/v1/entries",
                {"cursor": "WyIyMDI2LTAzLTAyVDA5OjAwOjAwIiwieCJd"},
                400,
            ),  # an instant without a zone
            (
                "/v1/entries",
                {"cursor": "WyIyMDI2LTAzLTAyVDA5OjAwOjAwWiIsIlx1MDAwMCJd"},
                400,
            ),  # an id with a NUL
        ],
    )
    async def test_what_cannot_be_asked_is_refused(
        self, client: httpx.AsyncClient, path: str, params: dict[str, Any], status: int
    ) -> None:
        assert isinstance((await answer(client, path, status, **params))["code"], str)

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/runs/x:cancel", {}),
            ("/v1/runs/x:cancel", {"reason": ""}),
            ("/v1/runs/x:cancel", {"reason": "   "}),
            ("/v1/runs/x:cancel", {"reason": "a\x00b"}),
            ("/v1/runs/x:cancel", {"reason": "x" * 501}),
            ("/v1/runs/x:skip", WHY | {"step": "Not A Name"}),
            ("/v1/runs:cancel", WHY),
            ("/v1/runs:cancel", WHY | {"playbook": ""}),
            ("/v1/runs:cancel", WHY | {"playbook": "a", "dry_runn": True}),
        ],
    )
    async def test_what_cannot_be_done_is_refused(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any]
    ) -> None:
        assert (await client.post(path, json=body)).status_code == 422

    @pytest.mark.parametrize("path", [*READING, *CHANGING])
    async def test_every_route_needs_a_key_with_the_scope(
        self, client: httpx.AsyncClient, keys: MemoryKeys, path: str
    ) -> None:
        method = "POST" if path in CHANGING else "GET"
        body = WHY | {"playbook": "a"} if path == "/v1/runs:cancel" else WHY
        for scopes, status in (((), 401), (("health:read",), 403)):
            token = keys.add("k2", scopes=scopes) if scopes else ""
            headers = {"Authorization": f"Bearer {token}" if token else ""}
            assert (await client.request(method, path, headers=headers, json=body)).status_code == status

    @pytest.mark.parametrize("path", CHANGING)
    async def test_a_key_that_may_only_read_changes_nothing(
        self, client: httpx.AsyncClient, keys: MemoryKeys, path: str
    ) -> None:
        headers = {"Authorization": f"Bearer {keys.add('k2', scopes=['playbooks:read'])}"}
        assert (await client.post(path, headers=headers, json=WHY | {"playbook": "a"})).status_code == 403

    async def test_a_database_that_is_away_is_503(self, client: httpx.AsyncClient, played: Scene) -> None:
        assert isinstance(played.reads, MemoryReads)
        played.reads.away = TransientError("The database does not answer right now.", retry_after=3)
        for path in READING:
            response = await client.get(path)
            assert (response.status_code, response.headers["retry-after"]) == (503, "3")

    async def test_the_description_names_every_route(self, client: httpx.AsyncClient) -> None:
        paths = (await answer(client, "/openapi.json"))["paths"]
        wanted = {each.replace("/x", "/{run_id}") for each in (*READING, *CHANGING)}
        assert set(paths) == wanted


@pytest.mark.parametrize(
    ("answer_type", "example"),
    [
        (RunPage, examples.RUN_PAGE),
        (RunDetail, examples.RUN_DETAIL),
        (EntryPage, examples.ENTRY_PAGE),
        (Handled, examples.HANDLED),
        (BulkCancelled, examples.BULK_CANCELLED),
    ],
    ids=["runs", "a run", "entries", "handled", "bulk"],
)
def test_the_examples_are_answers_that_can_be_given(answer_type: Any, example: dict[str, Any]) -> None:
    adapter = TypeAdapter(answer_type)
    assert adapter.dump_python(adapter.validate_python(example), mode="json") == example
