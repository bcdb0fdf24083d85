"""/v1/subscriptions over HTTP: scopes, mistakes with their places, ETags, and secrets that are told once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.integration.notifier.channels.receiver import Receiver, said
from tests.integration.notifier.feed.house import House
from tests.support.keys import MemoryKeys
from tests.unit.notifier.feed.builders import a_snapshot, snapshot_record

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from notifier.entrypoints.subscriptions_api import subscription_routes


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """May do everything that feeds need."""
    keys = MemoryKeys()
    token = keys.add(scopes=["notifications:read", "subscriptions:write"])
    keys.add("reader", scopes=["notifications:read"])
    keys.add("stranger", scopes=["health:read"])
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, house.clock),
        routers=[subscription_routes(house.desk)],
        ready={},
        alive={},
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://notifier/v1", headers=headers) as client,
    ):
        yield client


async def create(client: httpx.AsyncClient, receiver: Receiver, **members: Any) -> dict[str, Any]:
    """A subscription."""
    answer = await client.post("/subscriptions", json={"name": "CRM", "url": receiver.url, **members})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_a_subscription_tells_its_secret_once(client: httpx.AsyncClient, receiver: Receiver) -> None:
    with capture_logs() as logs:
        created = await create(client, receiver, filters={"segments": ["enterprise"]})
        answers = [
            (await client.get("/subscriptions")).text,
            (await client.get(f"/subscriptions/{created['id']}")).text,
            (await client.patch(f"/subscriptions/{created['id']}", json={"name": "Other"})).text,
            (await client.post(f"/subscriptions/{created['id']}:disable")).text,
            (await client.post(f"/subscriptions/{created['id']}:enable")).text,
            (await client.post(f"/subscriptions/{created['id']}:test")).text,
        ]
    assert created["secret"].startswith("whsec_")
    assert created["filters"]["segments"] == ["enterprise"]
    assert not [each for each in answers if created["secret"] in each]
    assert created["secret"] not in str(logs)


@pytest.mark.parametrize(
    ("method", "path", "reader", "stranger"),
    [
        ("GET", "/subscriptions", 200, 403),
        ("GET", "/subscriptions/x", 404, 403),
        ("GET", "/subscriptions/x/deliveries", 404, 403),
        ("POST", "/subscriptions", 403, 403),
        ("PATCH", "/subscriptions/x", 403, 403),
        ("DELETE", "/subscriptions/x", 403, 403),
        ("POST", "/subscriptions/x:test", 403, 403),
        ("POST", "/subscriptions/x:rotate", 403, 403),
        ("POST", "/subscriptions/x:replay", 403, 403),
        ("POST", "/subscriptions/x/deliveries/y:replay", 403, 403),
    ],
)
async def test_reading_and_writing_have_scopes_of_their_own(
    client: httpx.AsyncClient, method: str, path: str, reader: int, stranger: int
) -> None:
    told = [
        (
            await client.request(
                method, path, json={}, headers={"Authorization": f"Bearer csm_{key}_secret-of-{key}"}
            )
        ).status_code
        for key in ("reader", "stranger")
    ]
    assert told == [reader, stranger]


@pytest.mark.parametrize(
    "path", ["", ":test", ":rotate", ":disable", ":enable", ":replay", "/deliveries/x:replay"]
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    method = "POST" if path else "PATCH"
    answer = await client.request(method, f"/subscriptions/none{path}", json={})
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"url": "https://10.0.0.1/x"}, "not public"),
        ({"url": "ftp://crm.example.com"}, "begins with https://"),
        ({"url": "http://crm.example.com/SECRET"}, "only https://"),
        ({"filters": {"where": "account.arr >"}}, "filters.where, at character 14"),
        ({"filters": {"events": ["mood"]}}, "body.filters.events"),
        ({"filters": {"mincange": 3}}, "body.filters.mincange"),
        ({"name": ""}, "body.name"),
    ],
    ids=lambda each: str(each)[:30],
)
async def test_mistakes_are_told_with_their_places(
    client: httpx.AsyncClient, receiver: Receiver, members: dict[str, Any], told: str
) -> None:
    answer = await client.post("/subscriptions", json={"name": "CRM", "url": receiver.url, **members})
    assert answer.status_code in (400, 422)
    assert told in answer.json()["message"]
    assert "SECRET" not in answer.text
    assert (await client.get("/subscriptions")).json()["subscriptions"] == []


async def test_a_change_leaves_what_it_does_not_name(client: httpx.AsyncClient, receiver: Receiver) -> None:
    created = await create(
        client, receiver, filters={"segments": ["smb"], "min_change": 3}, attributes=["name"]
    )
    path = f"/subscriptions/{created['id']}"
    changed = (
        await client.patch(path, json={"filters": {"min_change": 5}, "include_model_changes": True})
    ).json()
    assert changed["filters"]["segments"] == ["smb"]
    assert changed["filters"]["min_change"] == 5
    assert changed["include_model_changes"] is True
    assert (changed["attributes"], changed["version"], changed["name"]) == (["name"], 2, "CRM")


async def test_a_change_of_what_was_changed_meanwhile_is_refused(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    created = await create(client, receiver)
    path = f"/subscriptions/{created['id']}"
    tag = (await client.get(path)).headers["etag"]
    first = await client.patch(path, json={"name": "A"}, headers={"If-Match": tag})
    second = await client.patch(path, json={"name": "B"}, headers={"If-Match": tag})
    third = await client.patch(path, json={"name": "B"}, headers={"If-Match": first.headers["etag"]})
    wrong = await client.patch(path, json={"name": "C"}, headers={"If-Match": "mine"})
    assert [each.status_code for each in (first, second, third, wrong)] == [200, 412, 200, 400]


async def test_lists_have_pages(client: httpx.AsyncClient, house: House, receiver: Receiver) -> None:
    for _ in range(3):
        await create(client, receiver)
        house.clock.advance(timedelta(seconds=1))
    first = (await client.get("/subscriptions", params={"limit": 2})).json()
    second = (await client.get("/subscriptions", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    ids = [each["id"] for page in (first, second) for each in page["subscriptions"]]
    assert (len(set(ids)), second["next_cursor"]) == (3, None)


async def test_the_log_tells_every_delivery_and_attempt(
    client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(400)]
    created = await create(client, receiver, filters={"events": ["band"]})
    path = f"/subscriptions/{created['id']}"
    accounts = [a_snapshot(1, account=f"a-{n}") for n in range(3)]
    await house.take(*[snapshot_record(place, each) for place, each in enumerate(accounts)])
    await house.send()
    failed = (await client.get(f"{path}/deliveries", params={"status": "failed"})).json()["deliveries"]
    assert [each["reason"] for each in failed] == ["refused for good: 127.0.0.1 answered 400"]
    first = (await client.get(f"{path}/deliveries", params={"limit": 2})).json()
    rest = (await client.get(f"{path}/deliveries", params={"cursor": first["next_cursor"]})).json()
    assert len(first["deliveries"] + rest["deliveries"]) == 3
    detail = (await client.get(f"{path}/deliveries/{failed[0]['id']}")).json()
    assert [each["code"] for each in detail["attempts"]] == [400]
    assert detail["body"]["id"] == failed[0]["id"]
    replayed = await client.post(f"{path}/deliveries/{failed[0]['id']}:replay")
    assert replayed.json() == {"replayed": 1}
    assert (await client.post(f"{path}/deliveries/{failed[0]['id']}:replay")).status_code == 409
    await house.send()
    assert (await client.get(f"{path}/deliveries", params={"status": "failed"})).json()["deliveries"] == []
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_a_rotation_and_a_test_are_answered(client: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.answers = [said(418, b"I am a teapot")]
    created = await create(client, receiver)
    path = f"/subscriptions/{created['id']}"
    rotated = (await client.post(f"{path}:rotate", json={"overlap_h": 1})).json()
    assert rotated["secret"] != created["secret"]
    tried = (await client.post(f"{path}:test")).json()
    assert (tried["outcome"], tried["code"], tried["said"]) == ("refused", 418, "I am a teapot")
    assert len(receiver.came[0].headers["webhook-signature"].split()) == 2


async def test_the_document_shows_what_is_posted(client: httpx.AsyncClient) -> None:
    document = (await client.get("http://notifier/openapi.json")).json()
    callback = document["paths"]["/v1/subscriptions"]["post"]["callbacks"]["health"]
    (post,) = (each["post"] for each in callback.values())
    examples = post["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {"health.score_changed", "health.band_changed", "health.threshold_crossed"}
    assert examples["health.score_changed"]["value"]["data"]["dimensions"]["satisfaction"] is None
