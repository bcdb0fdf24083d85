"""What moved the fleet, added up account by account."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health_score.application.fleet import (
    MOST_DRIVERS,
    FleetRead,
    Frozen,
    PartsMoved,
    Totals,
    buckets,
    fleet_of,
)
from health_score.domain.assessment import Assessment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)


def parted(parts: dict[str, float | None]) -> Assessment:
    """An assessment with these parts."""
    return Assessment(None, None, None, 0.0, {}, {}, {}, parts)


def totals(accounts: int, without_score: int = 0) -> Totals:
    """So many accounts."""
    return Totals(
        accounts=accounts,
        without_score=without_score,
        average=None,
        median=None,
        coverage=None,
        arr=0.0,
        overrides=0,
    )


def test_a_measure_moves_the_average_by_its_parts_over_all_accounts_with_a_score() -> None:
    moved = PartsMoved()
    moved.sampled = 4
    moved.add(parted({"nps": 10.0, "use": 5.0, "gone": 2.0}), parted({"nps": 4.0, "use": 5.0, "new": 1.0}))
    moved.add(parted({"nps": 1.0, "use": None}), parted({"nps": None, "use": 8.0}))
    up, down = moved.drivers(totals(4, without_score=2))
    assert [(each.measure, each.points, each.accounts) for each in up] == [("use", 4.0, 1), ("new", 0.5, 1)]
    assert [(each.measure, each.points, each.accounts) for each in down] == [
        ("nps", -3.5, 2),
        ("gone", -1.0, 1),
    ]


def test_a_sample_stands_for_all() -> None:
    moved = PartsMoved()
    moved.sampled = 2
    moved.add(parted({"nps": 0.0}), parted({"nps": 3.0}))
    up, _ = moved.drivers(totals(20))
    assert [(each.points, each.accounts) for each in up] == [(1.5, 10)]


@pytest.mark.parametrize("counted", [totals(0), totals(3, without_score=3)], ids=["nobody", "no score"])
def test_without_a_score_nothing_moves(counted: Totals) -> None:
    moved = PartsMoved()
    moved.sampled = counted.accounts
    moved.add(parted({"nps": 0.0}), parted({"nps": 3.0}))
    assert moved.drivers(counted) == ([], [])


@given(st.dictionaries(st.text(), st.floats(-50, 50), max_size=40))
def test_the_largest_come_first_and_only_so_many(moves: dict[str, float]) -> None:
    moved = PartsMoved()
    moved.sampled = 1
    moved.add(parted(dict.fromkeys(moves, 0.0)), parted(dict(moves)))
    up, down = moved.drivers(totals(1))
    assert max(len(up), len(down)) <= MOST_DRIVERS
    assert [each.points for each in up] == sorted((each.points for each in up), reverse=True)
    assert [each.points for each in down] == sorted(each.points for each in down)


def test_buckets_are_ten_whoever_is_in_them() -> None:
    found = buckets({0: 3, 9: 1})
    assert [(each.low, each.high) for each in found] == [(n, n + 10) for n in range(0, 100, 10)]
    assert [each.accounts for each in found] == [3, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_answer_tells_what_was_read() -> None:
    read = FleetRead(totals(0), [], {}, [], [], 5, PartsMoved())
    silent = [Frozen(type="csm.usage.recorded", since=SINCE)]
    fleet = fleet_of(read, silent, SINCE, NOW)
    assert (fleet.as_of, fleet.window.since, fleet.window.changed, fleet.frozen) == (NOW, SINCE, 5, silent)
