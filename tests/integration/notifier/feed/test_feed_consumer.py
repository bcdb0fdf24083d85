"""From records of health-score to exactly the deliveries that subscriptions ask for, whatever the batches are."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.notifier.feed.house import House
from tests.support.clock import START
from tests.unit.notifier.feed.builders import (
    a_crossing,
    a_snapshot,
    crossing_record,
    erasure_record,
    snapshot_record,
    tombstone,
)

from csm_common.contracts.health import AccountSnapshot, Cause, Scorecard
from csm_common.kafka.record import Record
from notifier.adapters.account_health import PostgresAccountHealth
from notifier.application.feed_ports import Wants
from notifier.domain.subscriptions import Filters

URL = "http://127.0.0.1:9/hook"


def records(*snapshots: AccountSnapshot) -> list[Record]:
    """One after the other."""
    return [snapshot_record(place, each) for place, each in enumerate(snapshots)]


async def told(house: House) -> list[tuple[str, str, object, object]]:
    """Type, account, and the score before and after, in the order of revisions."""
    rows = await house.rows("SELECT account_id, revision, type, body FROM feed_deliveries")
    found = [(*row[:3], msgspec.json.decode(row[3])["data"]["score"]) for row in rows]
    found.sort(key=lambda each: (*each[:3], -(each[3]["before"] or 0.0)))
    return [
        (type_.removeprefix("health."), account, score["before"], score["after"])
        for account, _, type_, score in found
    ]


async def test_while_nobody_subscribed_only_the_newest_is_kept(house: House) -> None:
    await house.take(*records(a_snapshot(1), a_snapshot(2, 40.0)))
    assert await house.rows("SELECT revision, score, band FROM account_health") == [(2, 40.0, "at_risk")]
    assert await told(house) == []
    assert house.news == 0


async def test_changes_of_score_and_band_are_told_once(house: House) -> None:
    await house.subscribe(URL)
    batch = records(a_snapshot(1), a_snapshot(2, 58.0), a_snapshot(3, 42.0))
    await house.take(*batch)
    first = await told(house)
    assert first == [
        ("band_changed", "acme", None, 60.0),
        ("score_changed", "acme", None, 60.0),
        ("score_changed", "acme", 60.0, 58.0),
        ("band_changed", "acme", 58.0, 42.0),
        ("score_changed", "acme", 58.0, 42.0),
    ]
    await house.take(*batch)
    assert await told(house) == first
    assert house.news == 1


async def test_an_older_revision_changes_nothing(house: House) -> None:
    await house.subscribe(URL)
    await house.take(*records(a_snapshot(5)))
    before = await told(house)
    await house.take(*records(a_snapshot(4, 10.0)))
    assert await told(house) == before
    assert await house.rows("SELECT revision, score FROM account_health") == [(5, 60.0)]


async def test_a_change_is_measured_from_the_score_told_last_to_this_very_subscription(house: House) -> None:
    await house.take(*records(a_snapshot(1, 60.0)))
    await house.subscribe(URL, Wants(filters=Filters(events=("score",), min_change=5.0)), "coarse")
    await house.subscribe(URL, Wants(filters=Filters(events=("score",), min_change=2.0)), "fine")
    for revision, score in ((2, 58.0), (3, 56.5), (4, 54.5), (5, 57.0)):
        await house.take(*records(a_snapshot(revision, score)))
    assert await told(house) == [
        ("score_changed", "acme", 60.0, 58.0),
        ("score_changed", "acme", 60.0, 54.5),
        ("score_changed", "acme", 58.0, 54.5),
        ("score_changed", "acme", 54.5, 57.0),
    ]


async def test_filters_choose_accounts_bands_and_crossings(house: House) -> None:
    filters = Filters(
        bands=("at_risk",), events=("band", "crossing"), directions=("left",), where="account.arr > 100000"
    )
    await house.subscribe(URL, Wants(filters=filters))
    small = {"segment": "smb", "arr": 1_000}
    await house.take(
        *records(a_snapshot(1), a_snapshot(2, 42.0), a_snapshot(1, 42.0, "small", attributes=small)),
        crossing_record(3, a_crossing()),
        crossing_record(4, a_crossing(direction="left"), "crossing-2"),
    )
    assert await told(house) == [
        ("band_changed", "acme", 60.0, 42.0),
        ("threshold_crossed", "acme", 60.0, 42.0),
    ]


async def test_what_a_model_or_an_import_did_is_told_only_on_demand(house: House) -> None:
    await house.subscribe(URL, Wants(filters=Filters(events=("score", "crossing"))), "news")
    await house.subscribe(
        URL, Wants(filters=Filters(events=("score", "crossing")), include_model_changes=True), "all"
    )
    second = Scorecard(name="default", version=2)
    await house.take(
        *records(
            a_snapshot(1, 60.0),
            a_snapshot(2, 50.0, scorecard=second),
            a_snapshot(3, 49.5, scorecard=second),
            a_snapshot(4, 45.0, scorecard=second),
            a_snapshot(1, 20.0, "imported", backfilling=True),
            a_snapshot(2, 30.0, "imported"),
        ),
        crossing_record(9, a_crossing(cause=Cause(kind="model", outreach=False))),
    )
    changes = await told(house)
    assert changes.count(("score_changed", "acme", None, 60.0)) == 2
    assert changes.count(("score_changed", "acme", 60.0, 50.0)) == 1
    # Measured from where the model left it, by both.
    assert changes.count(("score_changed", "acme", 50.0, 45.0)) == 2
    assert changes.count(("score_changed", "imported", None, 20.0)) == 1
    assert changes.count(("score_changed", "imported", 20.0, 30.0)) == 2
    assert changes.count(("threshold_crossed", "acme", 60.0, 42.0)) == 1


async def test_what_happened_before_the_subscription_is_not_told(house: House) -> None:
    house.clock.set(START + timedelta(minutes=3))
    await house.subscribe(URL, Wants(filters=Filters(events=("score", "crossing"))))
    await house.take(*records(a_snapshot(1), a_snapshot(2, 50.0)), crossing_record(9, a_crossing()))
    assert await told(house) == []
    await house.take(*records(a_snapshot(3, 40.0)))
    assert await told(house) == [("score_changed", "acme", 50.0, 40.0)]


async def test_a_disabled_subscription_gets_nothing_new(house: House) -> None:
    id_, _ = await house.subscribe(URL)
    await house.desk.disable(id_, "by hand")
    await house.take(*records(a_snapshot(1)))
    assert await told(house) == []


@pytest.mark.parametrize("by", ["tombstone", "erasure"])
async def test_an_erased_account_leaves_nothing_behind(house: House, by: str) -> None:
    await house.subscribe(URL)
    await house.take(*records(a_snapshot(1), a_snapshot(1, account="other")))
    await house.take(
        snapshot_record(2, a_snapshot(2, 20.0)), tombstone(3) if by == "tombstone" else erasure_record(3)
    )
    for table in ("account_health", "feed_told", "feed_deliveries"):
        rows = await house.rows(f"SELECT DISTINCT account_id FROM {table}")
        assert rows == [("other",)]


async def test_an_account_that_comes_back_begins_anew(house: House) -> None:
    await house.take(*records(a_snapshot(7)))
    await house.take(tombstone(1), snapshot_record(2, a_snapshot(1, 33.0)))
    assert await house.rows("SELECT revision, score FROM account_health") == [(1, 33.0)]


async def test_what_cannot_be_read_is_a_dead_letter_and_stops_nobody(house: House) -> None:
    broken = replace_value(snapshot_record(0, a_snapshot()), b"{")
    unknown = replace_value(snapshot_record(1, a_snapshot()), snapshot_record(1, a_snapshot()).value or b"")
    unknown = unknown._replace(
        value=(unknown.value or b"").replace(b"csm.account.scored", b"csm.account.mended")
    )
    empty = crossing_record(2, a_crossing())._replace(value=None)
    outcome = await house.take(broken, unknown, empty, snapshot_record(3, a_snapshot()))
    assert [(each.code, each.poison) for each in outcome.dead_letters] == [
        ("undecodable", True),
        ("unknown_type", False),
        ("undecodable", True),
    ]
    assert await house.rows("SELECT account_id FROM account_health") == [("acme",)]


def replace_value(record: Record, value: bytes) -> Record:
    """The same record with another value."""
    return record._replace(value=value)


async def test_a_batch_that_is_rolled_back_tells_nothing(house: House) -> None:
    await house.subscribe(URL)
    async with house.engine.connect() as connection:
        await house.consumer.handle(connection, records(a_snapshot(1)))
        await connection.rollback()
    assert await told(house) == []
    await house.take(*records(a_snapshot(1)))
    assert len(await told(house)) == 2


async def test_the_trend_has_one_point_a_day_and_sixty_at_most(house: House) -> None:
    for day in range(70):
        at = START + timedelta(days=day)
        await house.take(
            *records(
                a_snapshot(2 * day + 1, 50.0, evaluated_at=at),
                a_snapshot(2 * day + 2, float(day), evaluated_at=at + timedelta(hours=1)),
            )
        )
    async with house.engine.begin() as tx:
        (trend,) = (await PostgresAccountHealth(tx).trends(["acme", "nobody"])).values()
    assert [each.score for each in trend] == [float(day) for day in range(10, 70)]
    assert trend[-1].at == START + timedelta(days=69, hours=1)
    assert trend[0].at == (START + timedelta(days=11)).replace(hour=0)


async def test_days_in_one_batch_each_have_their_point(house: House) -> None:
    course = [a_snapshot(day + 1, 10.0 * day, evaluated_at=START + timedelta(days=day)) for day in range(5)]
    await house.take(*records(*course, a_snapshot(6, None, evaluated_at=START + timedelta(days=5))))
    async with house.engine.begin() as tx:
        (trend,) = (await PostgresAccountHealth(tx).trends(["acme"])).values()
    assert [each.score for each in trend] == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert await house.rows("SELECT score FROM account_health") == [(None,)]


_courses = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([10.0, 40.0, 41.0, 60.0, 90.0, None])),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    course=_courses,
    cuts=st.lists(st.integers(0, 12), max_size=4),
    repeats=st.lists(st.integers(0, 12), max_size=4),
)
async def test_batches_and_repeats_make_no_difference(
    house: House, course: list[tuple[str, float | None]], cuts: list[int], repeats: list[int]
) -> None:
    revisions: dict[str, int] = {}
    snapshots = []
    for account, score in course:
        revisions[account] = revisions.get(account, 0) + 1
        snapshots.append(a_snapshot(revisions[account], score, account))
    log = records(*snapshots)
    found = []
    for bounds, again in (([], []), (sorted(cuts), repeats)):
        for table in ("account_health", "feed_told", "feed_deliveries CASCADE", "subscriptions CASCADE"):
            async with house.engine.begin() as tx:
                await tx.exec_driver_sql(f"TRUNCATE {table}")
        await house.subscribe(URL, Wants(filters=Filters(min_change=2.0)))
        edges = [0, *[min(each, len(log)) for each in bounds], len(log)]
        for start, end in pairwise(edges):
            await house.take(*log[start:end])
            for each in again:
                await house.take(*log[min(each, end) : end])
        found.append(await told(house))
    assert found[0] == found[1]
