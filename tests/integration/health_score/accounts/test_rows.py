"""A caller who may see some accounts sees no other anywhere: not in lists, exports, the fleet's figures, nor by its id."""

from typing import Any

import pytest
from tests.integration.health_score.accounts.crowd import Crowd

from csm_common.web.rows import Rows

CASES = [Rows(team="emea"), Rows(owner="dana"), Rows(team="nobody's")]


def theirs(accounts: list[dict[str, Any]], rows: Rows) -> list[str]:
    """The ids of the accounts that are among the rows."""
    name, value = ("team", rows.team) if rows.team else ("owner", rows.owner)
    return [each["account_id"] for each in accounts if each["attributes"].get(name) == value]


@pytest.mark.parametrize("rows", CASES, ids=Rows.word)
@pytest.mark.parametrize("sort", ["account_id", "-score", "-change", "name"])
async def test_lists_and_counts_keep_to_the_rows(crowd: Crowd, rows: Rows, sort: str) -> None:
    wanted = theirs(await crowd.stored(), rows)
    with crowd.seeing(rows):
        found = await crowd.walk(sort=sort, changed_days=7, limit=50)
        assert sorted(each["account_id"] for each in found) == wanted
        assert (await crowd.get("accounts", limit=1, count=True))["total"] == len(wanted)
        other = await crowd.get("accounts", owner=["eli", "fay"], team="amer")
        assert {each["account_id"] for each in other["accounts"]} <= set(wanted)


@pytest.mark.parametrize("rows", CASES, ids=Rows.word)
async def test_exports_keep_to_the_rows(crowd: Crowd, rows: Rows) -> None:
    wanted = theirs(await crowd.stored(), rows)
    with crowd.seeing(rows):
        answer = await crowd.client.get("/v1/accounts:export", params={"format": "csv", "fields": "score"})
    assert [each.partition(",")[0] for each in answer.text.splitlines()[1:]] == wanted


@pytest.mark.parametrize("rows", CASES, ids=Rows.word)
async def test_the_fleet_is_the_rows_alone(crowd: Crowd, rows: Rows) -> None:
    wanted = theirs(await crowd.stored(), rows)
    with crowd.seeing(rows):
        fleet = await crowd.get("fleet", by="owner")
    assert fleet["totals"]["accounts"] == sum(each["accounts"] for each in fleet["bands"]) == len(wanted)
    assert sum(each["totals"]["accounts"] for each in fleet["groups"][0]["groups"]) == len(wanted)
    assert fleet["window"]["changed"] <= len(wanted)


@pytest.mark.parametrize("part", ["", "/health"])
async def test_an_account_beyond_the_rows_is_not_there(crowd: Crowd, part: str) -> None:
    accounts = await crowd.stored()
    wanted = set(theirs(accounts, Rows(team="emea")))
    with crowd.seeing(Rows(team="emea")):
        for each in [each["account_id"] for each in accounts][:60]:
            answer = await crowd.client.get(f"/v1/accounts/{each}{part}")
            assert answer.status_code == (200 if each in wanted else 404)
        unknown = (await crowd.client.get(f"/v1/accounts/nobody{part}")).json()
        hidden = next(each["account_id"] for each in accounts if each["account_id"] not in wanted)
        told = (await crowd.client.get(f"/v1/accounts/{hidden}{part}")).json()
    assert {**told, "detail": "", "message": ""} == {**unknown, "detail": "", "message": ""}


async def test_what_counts_the_whole_fleet_refuses_them(crowd: Crowd) -> None:
    with crowd.seeing(Rows(owner="dana")):
        assert (await crowd.client.get("/v1/stats")).status_code == 403
    assert (await crowd.get("stats"))["accounts"] == 200
