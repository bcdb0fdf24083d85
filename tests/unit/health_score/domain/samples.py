"""Every kind of signal with facts that it reads, for tests that hold for all of them."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW

from health_score.domain.fact import Fact
from health_score.domain.signals import (
    ActiveUsers,
    AnyReader,
    Attainment,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)

TYPE = ("thing.happened",)
times = st.integers(0, 20 * 86_400).map(lambda back: NOW - back)
few_times = st.integers(0, 4).map(lambda days: NOW - days * DAY)
odd: st.SearchStrategy[Any] = st.sampled_from([None, "word", float("nan"), True, []])
numbers: st.SearchStrategy[Any] = st.integers(-5, 20) | odd
dates = st.sampled_from([None, "2026-02-25", "2026-03-20", "2026-04-01", "2026-05-01T12:00:00Z", "soon"])


def _facts(stamped: Iterable[tuple[float, dict[str, Any]]]) -> list[Fact]:
    return [Fact(f"e{at:02}", TYPE[0], "acme", time, data) for at, (time, data) in enumerate(stamped)]


def facts_of(data: st.SearchStrategy[dict[str, Any]], most: int = 12) -> st.SearchStrategy[list[Fact]]:
    """Facts with such data, also some at the same time."""
    return st.lists(st.tuples(times | few_times, data), max_size=most).map(_facts)


data = st.fixed_dictionaries(
    {
        "value": numbers,
        "date": dates,
        "item": st.sampled_from(["t1", "t2", "t3", None, 7]),
        "status": st.sampled_from([None, "open", "pending", "solved"]),
        "priority": st.sampled_from([None, "low", "urgent"]),
        "escalated": st.sampled_from([None, True, False]),
        "user": st.sampled_from(["ann", "bob", "cy", "", None, 5]),
    },
    optional={
        "baseline": st.sampled_from([0, 5, None]),
        "target": st.sampled_from([10, 0, 5, "far"]),
        "current": st.integers(-2, 12),
        "expected": st.integers(0, 12),
        "weight": st.sampled_from([0, 1, 3, -1]),
        "confirmed_by_customer": st.booleans(),
        "start": dates,
        "due": dates,
    },
)
facts = facts_of(data)

_half_lives = st.sampled_from([0.01, 1.0, 14.0, 400.0])
_all, _value = Selector(TYPE), Selector(TYPE, value="value")
_scores = Latest(_value, 25)
_sums = st.builds(Sum, st.just(_value), _half_lives)
_counts = st.builds(Count, st.just(_all), _half_lives)
_means = st.builds(Mean, st.just(_value), _half_lives, st.sampled_from([0.001, 0.1]))
_users = st.builds(ActiveUsers, st.just(_all), _half_lives, st.just("user"))
_opens = st.sampled_from(
    [
        Open(
            _all,
            item="item",
            open_when={"status": ("open", "pending")},
            weights={"priority": {"urgent": 4.0}, "escalated": {True: 2.0}},
            expires_days=10,
        ),
        Open(_all, item="item", open_when={"status": ("open", "pending"), "escalated": (True,)}),
    ]
)
_trends = st.builds(
    Trend,
    st.sampled_from([_all, _value]),
    st.sampled_from([0.5, 7.0]),
    st.sampled_from([14.0, 60.0]),
    st.sampled_from([None, 0.5, 10.0]),
)
_attainments = st.builds(
    Attainment,
    st.just(_all),
    st.just("item"),
    st.sampled_from([0.0, 0.8, 1.0]),
    st.sampled_from([None, 12.0]),
    st.booleans(),
)
_others = st.sampled_from(
    [_scores, Latest(_value), Recency(Selector(TYPE, where={"value": (1, 3, 5, True, None)}))]
)
_untils = st.just(Until(Selector(TYPE, value="date")))
_fading = st.builds(Count, st.just(_all), st.sampled_from([1.0, 14.0, 400.0])) | st.builds(
    ActiveUsers, st.just(_all), st.sampled_from([1.0, 14.0, 400.0]), st.just("user")
)
_still = _means | _opens | st.just(_scores)
_ratios = st.builds(Ratio, _fading, _fading) | st.builds(
    Ratio, _counts | _sums | _users | _opens | _others | _untils | _attainments | _trends | _means, _still
)
signals = st.one_of(_sums, _counts, _means, _users, _opens, _trends, _attainments, _others, _untils)
readers: st.SearchStrategy[AnyReader] = signals | _ratios
