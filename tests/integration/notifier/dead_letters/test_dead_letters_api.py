"""Dead letters over HTTP."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.notifier.builders import a_notification
from tests.unit.notifier.fakes import ScriptedChannel

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from notifier.adapters.dead_letters import dead_letters_on
from notifier.domain.delivery import Answer
from notifier.entrypoints.dead_letters_api import dead_letter_routes

REFUSED = Answer("refused", "550 no such user", 550)
BOTH = ["notifications:read", "notifications:write"]


@pytest.fixture
async def desk(engine: AsyncEngine) -> Desk:
    """Three refused messages."""
    desk = Desk(engine, ScriptedChannel([REFUSED]))
    await desk.take_in(*[a_notification(f"n-{n}") for n in range(3)])
    await desk.round()
    return desk


@pytest.fixture
def woken() -> list[str]:
    """A member for each time that the sender was woken."""
    return []


@pytest.fixture
async def client(desk: Desk, woken: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    """With a key that may read and write."""
    keys = MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[
            dead_letter_routes(
                dead_letters_on(desk.engine), desk.open_work, desk.clock, lambda: woken.append("sender")
            )
        ],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add('operator', scopes=BOTH, source='console')}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=headers
    ) as client:
        client.params = {}
        client.headers["X-Reader"] = keys.add("reader", scopes=BOTH[:1])
        yield client


async def test_they_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/dead-letters", params={"limit": 2, "code": "refused"})).json()
    again = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/dead-letters", params=again)).json()
    ids = [each["id"] for page in (first, second) for each in page["dead_letters"]]
    assert (ids, second["next_cursor"]) == (["n-2", "n-1", "n-0"], None)
    assert (await client.get("/v1/dead-letters", params={"code": "given_up"})).json()["dead_letters"] == []


async def test_they_are_counted(client: httpx.AsyncClient) -> None:
    [count] = (await client.get("/v1/dead-letters:counts")).json()["counts"]
    assert (count["channel"], count["code"], count["dead_letters"]) == ("email", "refused", 3)


async def test_one_is_inspected_with_its_attempts_and_decisions(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/dead-letters/n-1")).json()
    assert found["dead_letter"]["code"] == "refused"
    assert [each["code"] for each in found["notification"]["attempts"]] == [550]
    assert found["notification"]["decision"]["contact_id"] == "kim"


async def test_replays_are_reported_and_wake_the_sender(client: httpx.AsyncClient, woken: list[str]) -> None:
    body = {"filter": {"account": "acme"}, "note": "mended", "limit": 2, "per_second": 4}
    answer = await client.post("/v1/dead-letters:replay", json=body)
    assert answer.status_code == 200
    assert (answer.json()["replayed"], answer.json()["more"], woken) == (2, True, ["sender"])
    assert (await client.get("/v1/dead-letters/n-2")).status_code == 200
    gone = await client.get("/v1/dead-letters/n-0")
    assert (gone.status_code, gone.json()["message"]) == (
        404,
        "There is no dead letter 'n-0': that notification is pending.",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"ids": ["n-1"]},
        {"ids": ["n-1"], "filter": {}, "note": "both"},
        {"ids": [], "note": "none"},
        {"ids": ["n-1"], "note": " "},
        {"ids": ["n-1"], "note": "x", "per_second": 51},
        {"filter": {"status": "failed"}, "note": "x"},
        {"filter": {}, "note": "x", "expires_at": "2030-01-01T00:00:00"},
        {"filter": {}, "note": "x", "limit": 10001},
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(client: httpx.AsyncClient, wrong: Mapping[str, Any]) -> None:
    assert (await client.post("/v1/dead-letters:replay", json=wrong)).status_code == 422


async def test_reading_and_replaying_are_two_scopes(client: httpx.AsyncClient) -> None:
    reader = {"Authorization": f"Bearer {client.headers['X-Reader']}"}
    assert (await client.get("/v1/dead-letters", headers=reader)).status_code == 200
    body = {"ids": ["n-1"], "note": "mended"}
    assert (await client.post("/v1/dead-letters:replay", json=body, headers=reader)).status_code == 403
