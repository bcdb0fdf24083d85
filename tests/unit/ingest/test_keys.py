"""Who may write events."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from tests.unit.ingest.door import PATH, Door, event, refusal


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer csm_nobody_secret",
        "Bearer csm_writer_wrong",
        "Basic !",
        "Digest csm_writer_x",
        "Bearer x",
    ],
)
async def test_without_a_good_key_nothing_is_taken(door: Door, authorization: str) -> None:
    response = await door.post(event(), authorization=authorization)

    assert refusal(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert not door.facts


async def test_a_key_may_come_as_a_user_name(door: Door) -> None:
    basic = base64.b64encode(f"{door.token}:".encode()).decode()

    assert (await door.post(event(), authorization=f"Basic {basic}")).status_code == 202


@pytest.mark.parametrize(
    ("scopes", "status"), [(["events:write"], 202), (["*"], 202), (["health:read"], 403)]
)
async def test_the_scope_is_needed(door: Door, scopes: list[str], status: int) -> None:
    token = door.keys.add("other", scopes=scopes)

    assert (await door.post(event(), authorization=f"Bearer {token}")).status_code == status


async def test_revoked_and_expired_keys_open_nothing(door: Door) -> None:
    revoked = door.keys.add("revoked", revoked=True)
    expired = door.keys.add("expired", expires_at=door.clock.now())

    for token in (revoked, expired):
        assert refusal(await door.post(event(), authorization=f"Bearer {token}")) == (401, "unauthenticated")


async def unread() -> AsyncIterator[bytes]:
    """A body that nobody is to read."""
    yield pytest.fail("the body was read")


async def test_the_key_is_checked_before_the_body_is_read(door: Door) -> None:
    response = await door.client.post(PATH, content=unread(), headers={"authorization": ""})

    assert refusal(response) == (401, "unauthenticated")


async def test_while_keys_cannot_be_read_a_known_one_goes_on(door: Door) -> None:
    assert (await door.post(event())).status_code == 202
    door.keys.away = ConnectionError("the database is away")
    unknown = door.keys.add("late")

    assert (await door.post(event())).status_code == 202
    assert refusal(await door.post(event(), authorization=f"Bearer {unknown}")) == (503, "keys_unavailable")


async def test_many_requests_look_a_key_up_once(door: Door) -> None:
    answers = await asyncio.gather(*(door.post(event(id=f"e-{number}")) for number in range(20)))

    assert {each.status_code for each in answers} == {202}
    assert door.keys.loads == 1
