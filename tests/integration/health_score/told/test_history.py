"""Histories and crossings over HTTP: change by change, for charts, and in pages that stay as they are."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from tests.integration.health_score.told.conftest import Told
from tests.support.health_score import EPOCH, event

from health_score.adapters.history import PostgresHistory
from health_score.application.ports import StoredCrossing

CARD = """
name: default
version: {version}
bands: {{critical: 0, at_risk: 25, neutral: 50, healthy: 75}}
dimensions:
  voice:
    weight: 1
    measures:
      nps: {{weight: 1, signal: {{kind: latest, type: csm.survey.answered, value: score}}, curve: {{0: 0, {full}: 100}}}}
thresholds:
  at_risk: {{target: score, direction: below, enter: 50, exit: 55}}
"""


async def said(told: Told, score: float, *, hours: float, account: str = "acme", late: float = 0.0) -> None:
    """An answer so many hours after the beginning, known `late` hours later."""
    told.world.clock.set(EPOCH + timedelta(hours=hours + late))
    id_ = f"{account}-{hours}"
    time = EPOCH + timedelta(hours=hours)
    await told.world.send(event(id_, account, "csm.survey.answered", {"score": score}, time=time))


async def begin(told: Told) -> None:
    await told.world.activate(CARD.format(version=2, full=10), 2)
    await told.world.settle()


async def test_each_change_tells_when_it_happened_and_was_known_why_and_what_moved(told: Told) -> None:
    await begin(told)
    await said(told, 8, hours=1)
    await said(told, 4, hours=2, late=3)
    [first, second] = (await told.get("accounts/acme/history"))["changes"]
    assert (first["score_before"], first["score"], first["band"]) == (None, 80.0, "healthy")
    assert (second["score_before"], second["score"], second["band_before"]) == (80.0, 40.0, "healthy")
    assert datetime.fromisoformat(second["event_at"]) == EPOCH + timedelta(hours=2)
    assert datetime.fromisoformat(second["known_at"]) == EPOCH + timedelta(hours=5)
    assert (second["cause"], second["fact_ids"], second["by_model"]) == ("facts", ["acme-2"], False)
    [moved] = second["moved"]
    assert (moved["name"], moved["value_before"], moved["value_after"], moved["moved"]) == (
        "nps",
        8,
        4,
        -40.0,
    )


async def test_pages_stay_as_they_are_while_changes_come(told: Told) -> None:
    await begin(told)
    for hour, score in enumerate([8, 7, 6, 5, 4]):
        await said(told, score, hours=hour)
    page = await told.get("accounts/acme/history", limit=2)
    scores = [each["score"] for each in page["changes"]]
    await said(told, 3, hours=10)
    while page["next_cursor"]:
        page = await told.get("accounts/acme/history", limit=2, cursor=page["next_cursor"])
        assert all(each["moved"] for each in page["changes"])
        scores += [each["score"] for each in page["changes"]]
    assert scores == [80.0, 70.0, 60.0, 50.0, 40.0, 30.0]
    part: dict[str, Any] = {
        "from": (EPOCH + timedelta(hours=1)).isoformat(),
        "to": (EPOCH + timedelta(hours=3)).isoformat(),
    }
    assert [each["score"] for each in (await told.get("accounts/acme/history", **part))["changes"]] == [
        70.0,
        60.0,
    ]


async def test_a_new_model_is_marked_as_such(told: Told) -> None:
    await begin(told)
    await said(told, 8, hours=1)
    told.world.clock.set(EPOCH + timedelta(hours=2))
    await told.world.activate(CARD.format(version=3, full=20), 3)
    await told.world.settle()
    page = await told.get("accounts/acme/history")
    assert [(each["score"], each["version"], each["by_model"]) for each in page["changes"]] == [
        (80.0, 2, False),
        (40.0, 3, True),
    ]
    assert [each["version"] for each in page["model_changes"]] == [3]
    chart = await told.get("accounts/acme/history", resolution="1h")
    assert [each["by_model"] for each in chart["buckets"]] == [False, True]
    assert [each["version"] for each in chart["model_changes"]] == [3]


async def test_a_chart_carries_scores_over_and_weighs_them_by_time(told: Told) -> None:
    await begin(told)
    await said(told, 8, hours=0.5)
    await said(told, 4, hours=1.25)
    told.world.clock.set(EPOCH + timedelta(hours=3.5))
    buckets = (await told.get("accounts/acme/history", resolution="1h"))["buckets"]
    told_of = [
        (each["score"], each["least"], each["greatest"], each["mean"], each["changes"]) for each in buckets
    ]
    assert told_of == [
        (80.0, 80.0, 80.0, 80.0, 1),
        (40.0, 40.0, 80.0, 50.0, 1),
        (40.0, 40.0, 40.0, 40.0, 0),
        (40.0, 40.0, 40.0, 40.0, 0),
    ]
    starts = [datetime.fromisoformat(each["start"]) for each in buckets]
    assert starts == [EPOCH + timedelta(hours=hour) for hour in range(4)]
    [week] = (await told.get("accounts/acme/history", resolution="1w"))["buckets"]
    assert datetime.fromisoformat(week["start"]).weekday() == 0
    assert week["mean"] == pytest.approx((0.75 * 80 + 2.25 * 40) / 3)


async def test_a_chart_that_makes_no_sense_is_refused(told: Told) -> None:
    await begin(told)
    await said(told, 8, hours=1)
    told.world.clock.set(EPOCH + timedelta(days=400))
    assert (await told.get("accounts/acme/history", resolution="1m"))["code"] == "invalid"
    assert (await told.get("accounts/acme/history", resolution="often"))["code"] == "invalid"
    back = {"from": (EPOCH + timedelta(days=2)).isoformat(), "to": EPOCH.isoformat()}
    assert (await told.get("accounts/acme/history", **back))["code"] == "invalid"
    assert (await told.get("accounts/nobody/history"))["code"] == "not_found"
    assert (await told.get("accounts/acme/history", cursor="made-up"))["code"] == "invalid"


async def test_crossings_are_listed_newest_first_for_an_account_and_for_the_fleet(told: Told) -> None:
    await begin(told)
    for hour, score in enumerate([8, 4, 8, 4]):
        for account in ("acme", "other"):
            await said(told, score, hours=hour, account=account)
    mine = await told.get("accounts/acme/crossings", limit=2)
    more = await told.get("accounts/acme/crossings", limit=2, cursor=mine["next_cursor"])
    found = [each["crossing"]["direction"] for each in mine["crossings"] + more["crossings"]]
    assert found == ["entered", "left", "entered"]
    assert more["next_cursor"] is None
    entered = await told.get("crossings", direction="entered", threshold="at_risk")
    assert [each["crossing"]["account_id"] for each in entered["crossings"]].count("other") == 2
    assert (await told.get("crossings", threshold="critical"))["crossings"] == []


async def test_crossings_of_one_instant_are_told_in_the_order_of_revisions(told: Told) -> None:
    await begin(told)
    await said(told, 8, hours=0)
    at = told.world.clock.now()
    ids = sorted((str(uuid4()) for _ in range(6)), reverse=True)  # as if ids told another order
    crossings = [
        StoredCrossing(id_, "acme", revision, at, "at_risk", "entered", "facts", b"{}")
        for revision, id_ in enumerate(ids)
    ]
    async with told.world.engine.begin() as tx:
        await tx.execute(text("SELECT 1"))
        await PostgresHistory().add(tx, [], crossings)
    found: list[str] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = await told.get("accounts/acme/crossings", limit=4, **cursor)
        found += [each["id"] for each in page["crossings"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert found == ids[::-1]


async def test_an_account_may_have_no_crossings_but_one_that_is_not_there_is_not_found(told: Told) -> None:
    await begin(told)
    await said(told, 9, hours=1)
    assert await told.get("accounts/acme/crossings") == {"crossings": [], "next_cursor": None}
    assert (await told.get("accounts/nobody/crossings"))["code"] == "not_found"


async def test_a_limited_key_sees_the_crossings_of_its_rows_alone(told: Told) -> None:
    await begin(told)
    await told.world.send(event("t", "acme", "csm.account.changed", {"team": "north"}))
    await said(told, 4, hours=1)
    await said(told, 4, hours=1, account="other")
    seen = (await told.get("crossings", "team:north"))["crossings"]
    assert [each["crossing"]["account_id"] for each in seen] == ["acme"]
    assert (await told.get("crossings", "owner:kim"))["crossings"] == []
