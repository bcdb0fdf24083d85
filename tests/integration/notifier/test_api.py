"""What CS tooling and operators can ask."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.notifier.builders import RECIPIENT, a_notification

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.pages import encode_cursor
from notifier.application.ports import OpenWork
from notifier.entrypoints.api import notification_routes


@pytest.fixture
async def five(engine: AsyncEngine) -> OpenWork:
    """Five notifications of acme, the oldest sent, and one of globex."""
    desk = Desk(engine)
    acme = [
        a_notification(f"n-{number}", requested_at=START + timedelta(minutes=number)) for number in range(5)
    ]
    await desk.take_in(acme[0])
    await desk.round()
    await desk.ask(*acme[1:], a_notification("g-1", account_id="globex", run_id="run-2"))
    return desk.open_work


@pytest.fixture
async def client(five: OpenWork) -> AsyncIterator[httpx.AsyncClient]:
    """With a key that may read notifications."""
    keys = MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[notification_routes(five)],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add('reader', scopes=['notifications:read'])}"}
    keys.add("other", scopes=["health:read"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=headers
    ) as client:
        yield client


async def test_notifications_are_listed_newest_first_page_by_page(client: httpx.AsyncClient) -> None:
    names: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"account": "acme", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/notifications", params=query)).json()
        names += [each["id"] for each in page["notifications"]]
        cursor = page["next_cursor"]
    assert names == ["n-4", "n-3", "n-2", "n-1", "n-0"]
    assert cursor is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/%00", 422),
        ("?account=%00", 422),
        (f"?cursor={encode_cursor(START, chr(0))}", 400),
        (f"?cursor={encode_cursor(START.replace(tzinfo=None), 'n-1')}", 400),
    ],
)
async def test_what_the_database_cannot_hold_is_refused(
    client: httpx.AsyncClient, asked: str, status: int
) -> None:
    assert (await client.get(f"/v1/notifications{asked}")).status_code == status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": "sent"}, ["n-0"]),
        ({"run": "run-2"}, ["g-1"]),
        ({"channel": "slack"}, []),
        ({"playbook": "account_at_risk", "account": "globex"}, ["g-1"]),
    ],
    ids=str,
)
async def test_conditions_narrow_the_list(
    client: httpx.AsyncClient, asked: dict[str, str], found: list[str]
) -> None:
    page = (await client.get("/v1/notifications", params=asked)).json()
    assert [each["id"] for each in page["notifications"]] == found
    assert page["next_cursor"] is None


async def test_one_notification_explains_itself_without_any_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notifications/n-0")
    found = answer.json()
    assert (found["status"], found["attempt_count"]) == ("sent", 1)
    assert found["decision"] == {
        "kind": "contact",
        "contact_id": "kim",
        "why": "owner: the account names contact kim as its owner",
    }
    assert found["wanted"] == [{"kind": "owner", "value": None}]
    assert [(each["outcome"], each["code"]) for each in found["attempts"]] == [("accepted", 250)]
    assert found["chain"] == {"crossing_id": "crossing-1", "fact_ids": ["fact-1"]}
    assert RECIPIENT.address not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/notifications/unheard-of", 404),
        ("/v1/notifications?status=lost", 422),
        ("/v1/notifications?limit=0", 422),
        ("/v1/notifications?limit=201", 422),
        ("/v1/notifications?cursor=made-up", 400),
    ],
)
async def test_wrong_questions_are_answered_with_a_problem(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["message"]


async def test_a_key_with_the_scope_is_needed(client: httpx.AsyncClient) -> None:
    for headers, status in (
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer csm_other_secret-of-other"}, 403),
    ):
        for path in ("/v1/notifications", "/v1/notifications/n-0"):
            assert (await client.get(path, headers=headers)).status_code == status
