"""What CS tooling can ask of health-score."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.health_score.application.owner import TX, default_models, read_default

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.pages import encode_cursor
from health_score.application.models import Models
from health_score.application.ports import Stats
from health_score.domain.account import AccountState
from health_score.entrypoints.api import create_router


class StoredAccounts:
    """AccountReads over two accounts, as strict about texts as PostgreSQL."""

    ids = ("a/b c", "acme")

    async def page(self, *, after: str, band: str | None, limit: int) -> list[tuple[str, bytes]]:
        """The accounts behind `after`."""
        assert "\0" not in after + (band or "")
        return [(each, b'{"account_id":"%s"}' % each.encode()) for each in self.ids if each > after][:limit]

    async def snapshot(self, account_id: str) -> bytes | None:
        """Its id."""
        assert "\0" not in account_id
        return b'{"account_id":"%s"}' % account_id.encode() if account_id in self.ids else None

    async def state(self, account_id: str) -> tuple[AccountState, datetime | None] | None:
        """As it begins."""
        assert "\0" not in account_id
        return (AccountState(account_id=account_id), START) if account_id in self.ids else None

    async def stats(self) -> Stats:
        """Not asked for here."""
        raise NotImplementedError


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """With a key that may read."""
    keys, clock = MemoryKeys(), ManualClock()
    models = Models(default_models({}), read_default)
    await models.load(TX)
    app = create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_router(StoredAccounts(), models, clock)],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add('reader', scopes=['health:read'])}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://health", headers=headers
    ) as client:
        yield client


@pytest.mark.parametrize("path", ["acme", "a/b%20c", "a%2Fb%20c"])
@pytest.mark.parametrize("part", ["", "/health"])
async def test_an_account_is_found_by_its_id_whatever_is_in_it(
    client: httpx.AsyncClient, path: str, part: str
) -> None:
    answer = await client.get(f"/v1/accounts/{path}{part}")
    assert answer.status_code == 200
    assert answer.json()["account_id"] in StoredAccounts.ids


@pytest.mark.parametrize("part", ["", "/health"])
async def test_one_that_is_not_there_is_told_so(client: httpx.AsyncClient, part: str) -> None:
    answer = await client.get(f"/v1/accounts/a%2Fx{part}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "'a/x'" in answer.json()["message"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("accounts/%00", 422),
        ("accounts/%00/health", 422),
        ("accounts?band=%00", 422),
        (f"accounts?cursor={encode_cursor(chr(0))}", 400),
    ],
)
async def test_a_text_that_nothing_can_hold_is_refused(
    client: httpx.AsyncClient, asked: str, status: int
) -> None:
    assert (await client.get(f"/v1/{asked}")).status_code == status


async def test_accounts_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/accounts?limit=1")).json()
    second = (await client.get(f"/v1/accounts?limit=1&cursor={first['next_cursor']}")).json()
    assert [each["account_id"] for each in first["accounts"] + second["accounts"]] == ["a/b c", "acme"]
