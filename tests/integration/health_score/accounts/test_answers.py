"""Fields, ETags, cursors and mistakes of the lists, and the export in both formats."""

import csv
import io
from typing import Any

import msgspec
import pytest
from tests.integration.health_score.accounts.crowd import Crowd

from health_score.application.account_fields import TOP


async def test_fields_are_those_asked_for_and_the_id(crowd: Crowd) -> None:
    asked = "score,attributes.owner,attributes.tags,measures.nps,scorecard.name"
    for each in await crowd.walk(fields=asked, limit=100):
        assert list(each) == ["account_id", "score", "attributes", "measures", "scorecard"]
        assert list(each["attributes"]) == ["owner", "tags"]
        assert (list(each["measures"]), list(each["scorecard"])) == (["nps"], ["name"])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ("scores", ", ".join(TOP)),
        ("measures.moon", "usage_recency"),
        ("dimensions.nps", "adoption"),
        ("score.x", "no names inside"),
        ("scorecard.author", "name, version"),
        (",", "account_id"),
    ],
)
async def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(
    crowd: Crowd, fields: str, named: str
) -> None:
    for path in ("accounts", "accounts:export"):
        answer = await crowd.client.get(f"/v1/{path}", params={"fields": fields})
        assert answer.status_code == 400
        assert named in answer.json()["message"]


async def test_a_cursor_of_another_list_is_refused(crowd: Crowd) -> None:
    query: dict[str, Any] = {"sort": "-score", "band": "at_risk", "limit": 2}
    cursor = (await crowd.get("accounts", **query))["next_cursor"]
    for other in ({"sort": "score"}, {"band": "healthy"}, {"score_min": 1}, {"owner": ["dana"]}):
        answer = await crowd.client.get("/v1/accounts", params={**query, **other, "cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert "another order or other filters" in answer.json()["message"]
    assert await crowd.get(
        "accounts", **{**query, "limit": 3, "fields": "band", "count": True}, cursor=cursor
    )


@pytest.mark.parametrize(
    "query",
    [
        {"bands": "at_risk"},
        {"sort": "luck"},
        {"limit": 501},
        {"score_min": "nan"},
        {"change_min": 1},
        {"sort": "change"},
        {"attribute": "tier"},
        {"owner": "\0"},
        {"renewal_within_days": 3, "renewal_from": "2026-01-01"},
        {"updated_since": "2026-01-01T00:00:00"},
        {"updated_since": "0001-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_a_mistake_is_told(crowd: Crowd, query: dict[str, Any]) -> None:
    answer = await crowd.client.get("/v1/accounts", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_misspelt_filter_is_told_with_those_that_there_are(crowd: Crowd) -> None:
    for path in ("accounts", "accounts:export", "fleet"):
        told = (await crowd.client.get(f"/v1/{path}", params={"bands": "at_risk"})).json()["message"]
        assert "there is no 'bands'" in told
        assert "attribute, band, " in told


async def test_who_has_an_answer_already_is_told_so_until_it_changes(small: Crowd) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("accounts/acct0003", {}),
        ("accounts", {"sort": "-score", "limit": 5}),
        ("accounts", {"limit": 40, "count": True, "changed_days": 3}),
    ]
    for path, query in asked:
        first = await small.client.get(f"/v1/{path}", params=query)
        tag = first.headers["etag"]
        again = {"If-None-Match": f'"other", {tag}'}
        second = await small.client.get(f"/v1/{path}", params=query, headers=again)
        assert (first.status_code, second.status_code, second.content) == (200, 304, b"")
        assert second.headers["etag"] == tag
    await small.live(["acct0003", "acct0004", *(f"acct{n:04}" for n in range(30))])
    third = await small.client.get("/v1/accounts", params={"limit": 40}, headers={"If-None-Match": tag})
    assert third.status_code == 200


async def test_an_export_tells_every_account_as_the_list_does(crowd: Crowd) -> None:
    listed = await crowd.walk(team="emea", changed_days=7, limit=500)
    told = await crowd.client.get("/v1/accounts:export", params={"team": "emea", "changed_days": 7})
    assert told.headers["content-type"] == "application/x-ndjson"
    assert told.headers["content-encoding"] == "gzip"
    assert [msgspec.json.decode(each) for each in told.text.splitlines()] == listed


async def test_a_table_has_the_fields_as_columns_and_no_formula(crowd: Crowd) -> None:
    fields = "attributes.name,attributes.arr,score,change,attributes.tags"
    told = await crowd.client.get(
        "/v1/accounts:export",
        params={"format": "csv", "fields": fields, "changed_days": 7},
        headers={"Accept-Encoding": "identity"},
    )
    assert "content-encoding" not in told.headers
    rows = list(csv.DictReader(io.StringIO(told.text, newline="")))
    accounts = await crowd.walk(changed_days=7, limit=500)
    assert list(rows[0]) == ["account_id", *fields.split(",")]
    assert [each["account_id"] for each in rows] == [each["account_id"] for each in accounts]
    for row, account in zip(rows, accounts, strict=True):
        name = account["attributes"].get("name", "")
        assert row["attributes.name"] == (f"'{name}" if name.startswith("=") else name)
        assert row["change"] == ("" if account["change"] is None else str(account["change"]))
    assert any(each["change"].startswith("-") for each in rows)
    usual = await crowd.client.get("/v1/accounts:export", params={"format": "csv"})
    assert usual.text.startswith("account_id,attributes.name,attributes.owner")
