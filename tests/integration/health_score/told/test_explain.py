"""An explanation over HTTP: now, at an earlier time, and against one."""

from datetime import timedelta

import pytest
from tests.integration.health_score.told.conftest import Told
from tests.support.health_score import EPOCH, event

NPS = {"kind": "nps", "score": 9}


async def lived(told: Told, account: str = "acme", team: str = "north") -> None:
    """An account that is used, answers, and then falls silent for twelve days."""
    await told.world.send(
        event(f"{account}1", account, "csm.account.changed", {"name": "Acme", "team": team}),
        event(f"{account}2", account, "csm.usage.recorded", {"feature": "x", "user_id": "u"}),
        event(f"{account}3", account, "csm.survey.answered", NPS),
    )


async def pass_days(told: Told, days: float) -> None:
    """The clock goes on, and the timers with it."""
    end = told.world.clock.now() + timedelta(days=days)
    while (due := told.world.handler.next_due()) is not None and due <= end:
        if due > told.world.clock.now():
            told.world.clock.set(due)
        await told.world.tick()
    told.world.clock.set(end)


async def test_the_numbers_of_the_answer_give_the_score_and_the_words_the_same(told: Told) -> None:
    await lived(told)
    await pass_days(told, 12)
    found = await told.get("accounts/acme/health/explain")
    explanation = found["explanation"]
    measures = [each for one in explanation["dimensions"] for each in one["measures"]]
    counted = [each for each in measures if each["share"] is not None]
    assert sum(each["share"] * each["points"] for each in counted) == pytest.approx(
        explanation["computed"], abs=0.01
    )
    [sum_told] = [each for each in found["text"] if each.startswith("The sum: ")]
    parts, total = sum_told.removeprefix("The sum: ").removesuffix(".").split(" = ")
    assert sum(float(each) for each in parts.split(" + ")) == pytest.approx(explanation["computed"], abs=0.01)
    assert float(total) == pytest.approx(explanation["computed"], abs=0.01)
    assert all(any(each["title"] in paragraph for paragraph in found["text"]) for each in measures)
    [use] = [each for each in counted if each["kind"] == "recency"][:1]
    assert use["value"] == 12.0
    assert use["events"][0]["type"] == "csm.usage.recorded"
    assert found["since"] is None


async def test_an_earlier_time_is_explained_as_it_was_told_then(told: Told) -> None:
    await lived(told)
    first = await told.get("accounts/acme/health/explain")
    await pass_days(told, 30)
    then = await told.get("accounts/acme/health/explain", at=(EPOCH + timedelta(hours=1)).isoformat())
    assert then["explanation"]["score"] == first["explanation"]["score"]
    assert then["told"]["cause"] == "facts"
    assert then["told"]["fact_ids"] == ["acme1", "acme2", "acme3"]
    now = await told.get("accounts/acme/health/explain")
    assert now["explanation"]["score"] < first["explanation"]["score"]


async def test_what_changed_since_is_split_by_measure_and_by_cause(told: Told) -> None:
    await lived(told)
    await pass_days(told, 20)
    since = (EPOCH + timedelta(hours=1)).isoformat()
    found = await told.get("accounts/acme/health/explain", since=since)
    change = found["since"]
    now, before = found["explanation"], change["before"]
    assert change["score_moved"] == pytest.approx(now["score"] - before["score"], abs=1e-5)
    assert sum(change["by_cause"].values()) == pytest.approx(change["score_moved"], abs=1e-4)
    assert set(change["by_cause"]) == {"timer"}
    moved = sum(each["moved"] for each in change["measures"])
    assert moved == pytest.approx(now["computed"] - before["computed"], abs=1e-4)
    sizes = [abs(each["moved"]) for each in change["measures"]]
    assert sizes == sorted(sizes, reverse=True)
    assert change["same_card"]
    assert any(each.startswith("Since 1 January 2026") for each in found["text"])


async def test_a_change_of_the_model_is_told_apart_from_the_customers_doing(told: Told) -> None:
    await lived(told)
    card = """
name: default
version: 2
bands: {critical: 0, at_risk: 25, neutral: 50, healthy: 75}
dimensions:
  adoption:
    weight: 1
    measures:
      usage_recency: {weight: 1, signal: {kind: recency, type: csm.usage.recorded}, curve: {0: 40, 30: 0}}
"""
    told.world.clock.advance(timedelta(hours=2))
    await told.world.activate(card, 2)
    await told.world.settle()
    await told.world.refold()
    await told.world.settle()
    since = (EPOCH + timedelta(hours=1)).isoformat()
    change = (await told.get("accounts/acme/health/explain", since=since))["since"]
    assert not change["same_card"]
    assert change["by_cause"]["model"] == pytest.approx(change["score_moved"], abs=0.5)
    assert [(each["kind"], each["version"]) for each in change["model_changes"]] == [("activate", 2)]


async def test_times_that_nothing_is_known_of_or_that_make_no_sense_are_told_so(told: Told) -> None:
    await lived(told)
    told.world.clock.advance(timedelta(days=1))
    early, late = (EPOCH - timedelta(days=1)).isoformat(), (EPOCH + timedelta(days=9)).isoformat()
    found = await told.get("accounts/acme/health/explain", since=early)
    assert found["since"]["before"] is None
    assert found["since"]["first_known_at"].startswith("2026-01-01")
    assert (await told.get("accounts/acme/health/explain", at=early))["code"] == "not_found"
    assert (await told.get("accounts/acme/health/explain", at=late))["code"] == "invalid"
    assert (await told.get("accounts/acme/health/explain", since=late))["code"] == "invalid"
    assert (await told.get("accounts/acme/health/explain", since="soon"))["code"] == "invalid"
    assert (await told.get("accounts/nobody/health/explain"))["code"] == "not_found"
    assert (await told.get("accounts/nobody/health/explain", at=early))["code"] == "not_found"


async def test_an_account_beyond_the_keys_rows_is_not_there(told: Told) -> None:
    await lived(told)
    for route in ("health/explain", "history", "crossings"):
        assert (await told.get(f"accounts/acme/{route}", "team:south"))["code"] == "not_found"
        assert "code" not in await told.get(f"accounts/acme/{route}", "team:north")
