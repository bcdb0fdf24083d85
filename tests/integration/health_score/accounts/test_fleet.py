"""The fleet's figures are what adding up the accounts one by one gives."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import mean, median
from typing import Any

import pytest
from tests.integration.health_score.accounts.crowd import WEEK, Crowd, score_at
from tests.support.health_score import EPOCH

from csm_common.web.rows import ALL_ROWS
from health_score.adapters.fleet import PostgresFleet
from health_score.adapters.history import decode_detail
from health_score.application.account_query import AccountFilters

Account = dict[str, Any]


def revenue(accounts: Iterable[Account]) -> float:
    """Added up."""
    return float(sum(each["attributes"].get("arr", 0) for each in accounts))


@pytest.mark.parametrize("query", [{}, {"team": "emea"}, {"band": ["neutral", "at_risk"]}], ids=str)
async def test_totals_bands_buckets_and_groups_add_up(crowd: Crowd, query: dict[str, Any]) -> None:
    ids = {each["account_id"] for each in await crowd.walk(**query, limit=500)}
    accounts = [each for each in await crowd.stored() if each["account_id"] in ids]
    fleet = await crowd.get("fleet", **query, by=["segment", "owner"])
    scores = [each["score"] for each in accounts if each["score"] is not None]
    totals = fleet["totals"]
    assert (totals["accounts"], totals["without_score"]) == (len(accounts), len(accounts) - len(scores))
    assert totals["average"] == pytest.approx(mean(scores))
    assert totals["median"] == pytest.approx(median(scores))
    assert totals["coverage"] == pytest.approx(mean(each["coverage"] for each in accounts))
    assert totals["overrides"] == sum(each["override"] is not None for each in accounts)
    assert totals["arr"] == pytest.approx(revenue(accounts))
    assert {each["band"]: each["accounts"] for each in fleet["bands"]} == Counter(
        each["band"] for each in accounts
    )
    for band in fleet["bands"]:
        assert band["arr"] == pytest.approx(
            revenue(each for each in accounts if each["band"] == band["band"])
        )
    counted = Counter(min(int(score // 10), 9) for score in scores)
    assert [each["accounts"] for each in fleet["buckets"]] == [counted[n] for n in range(10)]
    for grouping in fleet["groups"]:
        owned = Counter(each["attributes"].get(grouping["by"]) for each in accounts)
        assert {each["value"]: each["totals"]["accounts"] for each in grouping["groups"]} == owned
        assert all(
            sum(band["accounts"] for band in each["bands"]) == each["totals"]["accounts"]
            for each in grouping["groups"]
        )


async def test_movements_are_from_the_band_that_it_was_to_the_band_that_it_is(crowd: Crowd) -> None:
    rows = await crowd.world.rows(
        "SELECT account_id, band FROM history WHERE known_at <= :at ORDER BY account_id, revision",
        at=EPOCH - WEEK,
    )
    before = dict(rows)  # the last of each account stays
    moved = Counter(
        (before.get(each["account_id"]), each["band"])
        for each in await crowd.stored()
        if before.get(each["account_id"]) != each["band"]
    )
    window = (await crowd.get("fleet", days=7))["window"]
    assert {(each["before"], each["after"]): each["accounts"] for each in window["movements"]} == moved
    assert any(before is not None for before, _ in moved)


async def test_drivers_are_the_measures_whose_parts_moved_the_average(crowd: Crowd) -> None:
    rows = await crowd.world.rows(
        "SELECT account_id, known_at, detail FROM history ORDER BY account_id, revision"
    )
    parts: dict[str, list[tuple[Any, dict[str, float | None]]]] = {}
    for account, at, detail in rows:
        parts.setdefault(account, []).append((at, decode_detail(detail).parts))
    sums: defaultdict[str, float] = defaultdict(float)
    for told in parts.values():
        before = [each for at, each in told if at <= EPOCH - WEEK]
        if before and told[-1][0] > EPOCH - WEEK:
            for measure in before[-1].keys() | told[-1][1].keys():
                sums[measure] += (told[-1][1].get(measure) or 0.0) - (before[-1].get(measure) or 0.0)
    fleet = await crowd.get("fleet", days=7)
    window, scored = fleet["window"], fleet["totals"]["accounts"] - fleet["totals"]["without_score"]
    assert window["changed"] == sum(told[-1][0] > EPOCH - WEEK for told in parts.values())
    assert window["sampled"] == fleet["totals"]["accounts"]
    found = {each["measure"]: each["points"] for each in window["up"] + window["down"]}
    wanted = {measure: moved / scored for measure, moved in sums.items() if abs(moved / scored) > 1e-6}
    assert found == pytest.approx(wanted, abs=1e-6)
    assert [each["points"] for each in window["down"]] == sorted(each["points"] for each in window["down"])


async def test_a_sample_is_counted_up_to_all(crowd: Crowd) -> None:
    reads = PostgresFleet(crowd.world.engine, most_sampled=50)
    part = await reads.fleet(AccountFilters(), ALL_ROWS, (), EPOCH - WEEK, EPOCH)
    assert 0 < part.moved.sampled < 100
    whole = (await crowd.get("fleet", days=7))["window"]
    told = {each["measure"]: each for each in whole["up"] + whole["down"]}
    up, down = part.moved.drivers(part.totals)
    for each in [*up, *down]:
        assert each.accounts == pytest.approx(told[each.measure]["accounts"], abs=60)


async def test_changes_of_a_list_agree_with_the_history(crowd: Crowd) -> None:
    accounts = {each["account_id"]: each for each in await crowd.stored()}
    for each in await crowd.walk(changed_days=7, limit=500):
        before = score_at(accounts[each["account_id"]], EPOCH - WEEK)
        none = before is None or each["score"] is None
        assert each["change"] == (None if none else pytest.approx(each["score"] - (before or 0.0)))


@pytest.mark.parametrize("arr", [1.7e308, -1.7e308, 5e-324, 2**63 - 1, "a lot", True, [1]], ids=str)
async def test_a_revenue_that_nobody_has_is_left_out(small: Crowd, arr: Any) -> None:
    before = (await small.get("fleet"))["totals"]["arr"]
    facts = [small.fact(f"odd{n}", "csm.account.changed", {"name": "Odd", "arr": arr}) for n in range(3)]
    await small.world.send(*facts)
    fleet = await small.get("fleet", by="segment")
    assert fleet["totals"]["accounts"] == 43
    assert fleet["totals"]["arr"] == pytest.approx(before)
    assert len(await small.walk(sort="-arr", limit=20)) == 43
