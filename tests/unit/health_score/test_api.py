"""What CS tooling can ask of health-score."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import msgspec
import pytest
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.health_score.application.owner import TX, default_models, read_default

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.pages import encode_cursor
from csm_common.web.rows import Rows
from health_score.application.account_query import AccountFilters
from health_score.application.models import Models
from health_score.application.ports import Stats
from health_score.application.read_ports import ListedRow
from health_score.application.walk import Order, Place
from health_score.domain.account import AccountState
from health_score.entrypoints.api import create_router


class StoredAccounts:
    """AccountReads and AccountLists over two accounts, as strict about texts as PostgreSQL."""

    ids = ("a/b c", "acme")

    async def sees(self, rows: Rows, account_id: str) -> bool:
        """All."""
        assert not rows.limited
        return True

    async def page(
        self,
        filters: AccountFilters,
        rows: Rows,
        order: Order,
        after: Place | None,
        limit: int,
        now: datetime,
    ) -> list[ListedRow]:
        """The accounts behind `after`, by their ids."""
        assert "\0" not in filters.model_dump_json()
        behind = "" if after is None else after.account_id
        return [listed(each) for each in self.ids if each > behind][:limit]

    async def count(self, filters: AccountFilters, rows: Rows, now: datetime) -> int:
        """All."""
        return len(self.ids)

    async def snapshot(self, account_id: str) -> bytes | None:
        """Its id."""
        assert "\0" not in account_id
        return listed(account_id).snapshot if account_id in self.ids else None

    async def state(self, account_id: str) -> AccountState | None:
        """As it begins."""
        assert "\0" not in account_id
        return AccountState(account_id=account_id) if account_id in self.ids else None

    async def stats(self) -> Stats:
        """Not asked for here."""
        raise NotImplementedError


def listed(account_id: str) -> ListedRow:
    """An account of which nothing but its id is known."""
    return ListedRow(account_id, None, None, msgspec.json.encode({"account_id": account_id}), "1:1:")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """With a key that may read."""
    keys, clock = MemoryKeys(), ManualClock()
    models = Models(default_models({}), read_default)
    await models.load(TX)
    accounts = StoredAccounts()
    app = create_web_app(
        title="health-score",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_router(accounts, accounts, models, clock)],
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
        ("accounts?cursor=%00", 422),
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
