"""Why there is a message, over HTTP, from what PostgreSQL keeps of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import RULES, Desk
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.notifier.builders import KIM, a_notification
from tests.unit.notifier.why.chains import REASONS

from csm_common.contracts.notifications import Chain
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from notifier.domain.digest import DigestTime
from notifier.domain.policy import ClassRules, ContactPolicy
from notifier.entrypoints.why_api import why_routes

CHAIN: dict[str, Any] = msgspec.to_builtins(REASONS)
IDS = {
    name: CHAIN[name]
    for name in ("run_id", "step", "playbook", "playbook_version", "crossing_id", "fact_ids")
}
DIGESTS = ContactPolicy(
    classes={"internal": ClassRules()}, class_digests={"internal": DigestTime(at=time(18))}
)


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    """One that sends at once."""
    return Desk(engine)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """With a key that may read notifications."""
    keys = MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[why_routes(desk.open_work)],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add('reader', scopes=['notifications:read'])}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=headers
    ) as client:
        yield client


async def why(client: httpx.AsyncClient, id: str = "n-1") -> dict[str, Any]:
    """The chain as JSON."""
    answer = await client.get(f"/v1/notifications/{id}/why")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_chain_is_read_as_requests_tell_it() -> None:
    assert msgspec.to_builtins(msgspec.convert(CHAIN, Chain)) == CHAIN


async def test_a_message_is_explained_from_its_recipient_to_the_events(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.take_in(a_notification(chain=CHAIN))
    await desk.round()
    found = await why(client)
    assert found["recipient"]["name"] == KIM.name
    assert [each["word"] for each in found["policy"]] == ["send"]
    assert found["run"]["entered"] == REASONS.entered
    assert [each["outcome"] for each in found["steps_before"]] == ["taken", "waited"]
    assert found["crossing"]["after"] == 44.4
    assert [(each["id"], each["type"]) for each in found["facts"]] == [
        ("zd-881", "csm.ticket.changed"),
        ("zd-882", "csm.ticket.changed"),
    ]
    assert found["words"][0].startswith(
        "Kim Park got this email about Acme on 2 March 2026, 09:00 UTC, because the playbook"
    )
    assert str(KIM.email) not in str(found)


async def test_the_words_are_there_as_text(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.take_in(a_notification(chain=CHAIN))
    await desk.round()
    answer = await client.get("/v1/notifications/n-1/why", headers={"Accept": "text/plain"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == (await why(client))["words"]


@pytest.mark.parametrize(
    "chain",
    [
        IDS,
        {**IDS, "crossing": None, "steps": []},
        {**IDS, "run": "run-1"},
        {"fact_ids": ["zd-881", "zd-882"]},
    ],
    ids=["six ids", "nulls", "unknown members", "facts alone"],
)
async def test_old_messages_are_explained_by_ids(
    desk: Desk, client: httpx.AsyncClient, chain: dict[str, Any]
) -> None:
    await desk.take_in(a_notification(chain=chain))
    await desk.round()
    found = await why(client)
    assert (found["run"]["id"], found["step"], found["crossing"]) == ("run-1", "tell_owner", None)
    assert [each["id"] for each in found["facts"]] == ["zd-881", "zd-882"]
    assert found["crossing_id"] == chain.get("crossing_id")


async def test_a_chain_that_cannot_be_read_leaves_what_every_request_has(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.take_in(a_notification(chain={"fact_ids": "none"}))
    found = await why(client)
    assert (found["run"]["id"], found["facts"]) == ("run-1", [])


async def test_an_erased_message_says_so_and_knows_the_ids_alone(
    desk: Desk, client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    await desk.take_in(a_notification(chain=CHAIN))
    await desk.round()
    async with desk.open_work() as work:
        await work.erasures.of_accounts({"acme": START + timedelta(minutes=1)})
    found = await why(client)
    assert (found["erased"], found["crossing"], found["steps_before"], found["run"]["entered"]) == (
        True,
        None,
        [],
        None,
    )
    assert (found["crossing_id"], [each["id"] for each in found["facts"]]) == (
        "crossing-1",
        ["zd-881", "zd-882"],
    )
    assert (
        "What was said in it, and why, has been erased; the ids of what led to it are left." in found["words"]
    )
    async with engine.connect() as connection:
        kept = await connection.scalar(text("SELECT chain::text || context::text FROM notifications"))
    assert "44.4" not in kept


async def test_a_digest_explains_each_of_its_messages(engine: AsyncEngine) -> None:
    desk = Desk(engine, rules=replace(RULES, contact_policy=DIGESTS))
    await desk.take_in(*[a_notification(f"n-{n}", chain=CHAIN, priority=n) for n in (1, 2)])
    await desk.round()
    await desk.later(hours=10)
    await desk.later(minutes=1)
    [digest] = [each.begun.notification.id for each in desk.channel.sent]
    keys = MemoryKeys()
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[why_routes(desk.open_work)],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add('reader', scopes=['notifications:read'])}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=headers
    ) as client:
        found, item = await why(client, digest), await why(client, "n-1")
    assert [each["message"]["id"] for each in found["items"]] == ["n-2", "n-1"]
    assert all(each["crossing"]["after"] == 44.4 for each in found["items"])
    assert found["run"] is None
    assert item["message"]["folded_into"] == digest
    assert item["words"][0].endswith(f"in the digest {digest}.")


async def test_a_trial_of_a_template_has_no_reasons(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.take_in(a_notification(kind="test", chain={}))
    await desk.round()
    found = await why(client)
    assert (found["run"], found["crossing_id"], found["facts"]) == (None, None, [])


async def test_of_what_there_is_not_nothing_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/notifications/n-1/why")).status_code == 404
