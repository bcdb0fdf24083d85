"""Lists of accounts over PostgreSQL: filters, order and cursors give what a plain walk over the same accounts gives."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.health_score.accounts.crowd import Crowd, score_at
from tests.support.health_score import EPOCH

Account = dict[str, Any]
Keep = Callable[[Account], bool]


class Everybody:
    """All accounts as they are stored."""

    def __init__(self, accounts: list[Account]) -> None:
        self.accounts = accounts


def own(account: Account, name: str) -> Any:
    """An attribute."""
    return account["attributes"].get(name)


def change(account: Account, days: float) -> float | None:
    """As `changed_days` tells it."""
    before = score_at(account, EPOCH - timedelta(days=days))
    return None if before is None or account["score"] is None else account["score"] - before


def at_least(value: Any, limit: Any) -> bool:
    """False for none."""
    return value is not None and value >= limit


def at_most(value: Any, limit: Any) -> bool:
    """False for none."""
    return value is not None and value <= limit


def one_filter() -> st.SearchStrategy[tuple[dict[str, Any], Keep]]:
    """A filter, and what it means."""
    points, shares = st.integers(0, 100), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])
    days = st.integers(0, 90).map(lambda n: (EPOCH + timedelta(days=n)).date())

    def renews(account: Account) -> date | None:
        told = own(account, "renewal_date")
        return None if told is None else date.fromisoformat(told)

    some = st.lists(st.sampled_from(["critical", "at_risk", "neutral", "healthy"]), min_size=1, max_size=2)
    return st.one_of(
        some.map(lambda told: ({"band": told}, lambda each: each["band"] in told)),
        points.map(lambda n: ({"score_min": n}, lambda each: at_least(each["score"], n))),
        points.map(lambda n: ({"score_max": n}, lambda each: at_most(each["score"], n))),
        shares.map(lambda n: ({"coverage_min": n}, lambda each: each["coverage"] >= n)),
        shares.map(lambda n: ({"coverage_max": n}, lambda each: each["coverage"] <= n)),
        st.sampled_from(["dana", "eli", "nobody"]).map(
            lambda who: ({"owner": who}, lambda each: own(each, "owner") == who)
        ),
        st.sampled_from(["emea", "amer"]).map(
            lambda who: ({"team": who}, lambda each: own(each, "team") == who)
        ),
        st.sampled_from(["a", "b"]).map(
            lambda tag: ({"attribute": f"tags:{tag}"}, lambda each: tag in (own(each, "tags") or []))
        ),
        st.sampled_from([1, 2]).map(
            lambda n: ({"attribute": f"tier:{n}"}, lambda each: str(own(each, "tier")) == str(n))
        ),
        st.booleans().map(
            lambda yes: ({"attribute": f"vip:{str(yes).lower()}"}, lambda each: own(each, "vip") is yes)
        ),
        st.sampled_from(["arr", "renewal_date"]).map(
            lambda name: ({"has": name}, lambda each: own(each, name) is not None)
        ),
        days.map(lambda day: ({"renewal_from": str(day)}, lambda each: at_least(renews(each), day))),
        days.map(lambda day: ({"renewal_to": str(day)}, lambda each: at_most(renews(each), day))),
        st.sampled_from(["nps", "usage_recency"]).map(
            lambda name: ({"missing": name}, lambda each: each["measures"][name] is None)
        ),
        st.booleans().map(lambda yes: ({"scored": yes}, lambda each: (each["score"] is not None) is yes)),
        st.booleans().map(
            lambda yes: ({"overridden": yes}, lambda each: (each["override"] is not None) is yes)
        ),
        st.sampled_from(["1", "B0", "ACCT"]).map(
            lambda q: (
                {"q": q},
                lambda each: (
                    q.lower() in each["account_id"] or q.lower() in (own(each, "name") or "").lower()
                ),
            )
        ),
        st.integers(-20, 20).map(
            lambda n: ({"change_min": n, "changed_days": 7}, lambda each: at_least(change(each, 7), n))
        ),
        st.integers(-20, 20).map(
            lambda n: ({"change_max": n, "changed_days": 7}, lambda each: at_most(change(each, 7), n))
        ),
    )


KEYS: dict[str, Callable[[Account], Any]] = {
    "account_id": lambda each: each["account_id"],
    "score": lambda each: each["score"],
    "coverage": lambda each: each["coverage"],
    "change": lambda each: change(each, 7),
    "name": lambda each: own(each, "name"),
    "renewal_date": lambda each: own(each, "renewal_date"),
    "arr": lambda each: own(each, "arr"),
}


def ordered(accounts: list[Account], sort: str) -> list[str]:
    """Ids in the order asked for, those without the key last."""
    key, down = KEYS[sort.removeprefix("-")], sort.startswith("-")
    keyed = [each for each in accounts if key(each) is not None]
    keyless = [each for each in accounts if key(each) is None]
    found = sorted(keyed, key=lambda each: (key(each), each["account_id"]), reverse=down)
    found += sorted(keyless, key=lambda each: str(each["account_id"]), reverse=down)
    return [each["account_id"] for each in found]


@pytest.fixture(scope="module")
async def everybody(crowd: Crowd) -> Everybody:
    """The accounts by themselves."""
    return Everybody(await crowd.stored())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    filters=st.lists(one_filter(), max_size=3),
    key=st.sampled_from(list(KEYS)),
    sign=st.sampled_from(["", "-"]),
    limit=st.integers(20, 90),
)
async def test_a_list_gives_what_a_walk_over_all_accounts_gives(
    crowd: Crowd,
    everybody: Everybody,
    filters: list[tuple[dict[str, Any], Keep]],
    key: str,
    sign: str,
    limit: int,
) -> None:
    asked: dict[str, Any] = {}
    wanted = everybody.accounts
    for told, keep in filters:
        if asked.keys() & told.keys() - {"changed_days"}:
            continue
        asked |= told
        wanted = [each for each in wanted if keep(each)]
    if key == "change":
        asked["changed_days"] = 7
    found = await crowd.walk(**asked, sort=sign + key, limit=limit, count=True)
    assert [each["account_id"] for each in found] == ordered(wanted, sign + key)
    assert (await crowd.get("accounts", **asked, limit=1, count=True))["total"] == len(wanted)


@pytest.mark.parametrize("sort", ["-score", "score", "coverage", "-change", "account_id", "name", "-arr"])
async def test_a_walk_shows_no_account_twice_and_misses_none_that_stays(small: Crowd, sort: str) -> None:
    query = {"sort": sort, "limit": 5, "changed_days": 7}
    before = {each["account_id"]: each for each in await small.stored()}
    page = await small.get("accounts", **query)
    shown = [each["account_id"] for each in page["accounts"]]
    while page["next_cursor"]:
        await small.live([f"acct{small.dice.randrange(60):04}" for _ in range(3)])
        page = await small.get("accounts", **query, cursor=page["next_cursor"])
        shown += [each["account_id"] for each in page["accounts"]]
    after = {each["account_id"]: each for each in await small.stored()}
    stayed = {name for name, each in before.items() if each["revision"] == after[name]["revision"]}
    assert len(shown) == len(set(shown))
    assert stayed <= set(shown)
    assert len(stayed) < len(before)
