"""When waits end and tasks are due, over weekends, holidays and the days on which clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.domain.actions import Until
from playbooks.domain.calendar import Calendar

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 4, 10, 16, 30, tzinfo=UTC)
"""18:30 in Berlin."""

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

HOLIDAYS = {date(2026, 4, 3), date(2026, 4, 6), date(2026, 10, 26), date(2026, 12, 25)}
OFFICE = Calendar(zone=BERLIN, is_holiday=HOLIDAYS.__contains__)

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "UTC"]
"""Changes of an hour and of half of one, at night and at midnight, north and south, and none."""

MOMENTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
)

# Around the changes of clocks in 2026: spring and autumn in the north, and in the south.
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 5), (4, 24), (10, 4), (10, 25), (10, 30), (11, 1))
]


def ends(until: Until, now: datetime, calendar: Calendar = OFFICE, **attributes: Any) -> datetime | None:
    return calendar.wait_ends(until, attributes, now)


@cache
def shown(zone: str, begin: datetime) -> dict[datetime, datetime]:
    """What the clocks of a zone show in the minutes of ten days, and when they show it first."""
    first: dict[datetime, datetime] = {}
    for minute in range(10 * 24 * 60):
        instant = begin + minute * MINUTE
        first.setdefault(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None), instant)
    return first


def looked_up(zone: str, begin: datetime, wanted: time) -> Iterator[datetime]:
    """Each day's `wanted` by looking at the clock minute by minute; where it is jumped over, as long after the jump as it would
    have come without one."""
    clock = shown(zone, begin)
    day = min(clock).date() + DAY
    while datetime.combine(day, wanted) + DAY < max(clock):
        local, late = datetime.combine(day, wanted), 0
        while local - late * MINUTE not in clock:
            late += 1
        yield clock[local - late * MINUTE] + late * MINUTE
        day += DAY


@settings(deadline=None)  # a look at every minute of ten days takes its time
@given(
    zone=st.sampled_from(ZONES),
    change=st.sampled_from(CHANGES),
    after=st.integers(0, 4 * 24 * 60),
    at=st.times(),
    working=st.booleans(),
)
def test_the_next_time_of_day_is_the_first_that_a_look_at_every_minute_finds(
    zone: str, change: datetime, after: int, at: time, working: bool
) -> None:
    now = change - 2 * DAY + after * MINUTE
    wanted = at.replace(second=0, microsecond=0)
    until = Until(time=f"{wanted:%H:%M}", days="working" if working else "any", zone=zone)
    found = ends(until, now)
    allowed = [
        each
        for each in looked_up(zone, change - 4 * DAY, wanted)
        if each >= now and (not working or OFFICE.works(each.astimezone(ZoneInfo(zone)).date()))
    ]
    assert found == allowed[0]


@given(
    now=MOMENTS,
    at=st.times(),
    zone=st.sampled_from(ZONES),
)
def test_a_time_of_day_never_lies_in_the_past_and_comes_on_a_working_day(
    now: datetime, at: time, zone: str
) -> None:
    found = ends(Until(time=f"{at:%H:%M}", days="working", zone=zone), now)
    assert found is not None
    assert now <= found
    assert OFFICE.works(found.astimezone(ZoneInfo(zone)).date())


def test_a_time_that_is_now_is_waited_for_no_longer() -> None:
    assert ends(Until(time="18:30"), FRIDAY) == FRIDAY
    assert ends(Until(time="18:29"), FRIDAY) == FRIDAY + DAY - MINUTE


def test_a_time_that_does_not_exist_is_read_with_the_offset_from_before_the_gap() -> None:
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert ends(Until(time="02:30"), night) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )  # 03:30 in summer time


def test_a_time_that_exists_twice_is_its_first_occurrence() -> None:
    night = datetime(2026, 10, 24, 23, tzinfo=UTC)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert ends(Until(time="02:30"), night) == first
    assert ends(Until(time="02:30"), first + MINUTE) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_midnight_that_does_not_exist_is_an_hour_later_and_the_weekday_is_that_of_the_clock() -> None:
    cairo = Until(time="00:00", zone="Africa/Cairo", days="working")
    thursday_noon = datetime(2026, 4, 23, 10, tzinfo=UTC)
    assert ends(cairo, thursday_noon) == datetime(
        2026, 4, 23, 22, tzinfo=UTC
    )  # Friday 01:00, clocks skip from 00:00


# ---- zones


@pytest.mark.parametrize(
    ("wanted", "timezone", "zone"),
    [
        ("account", "Asia/Tokyo", "Asia/Tokyo"),
        ("account", None, "Europe/Berlin"),
        ("account", "Nowhere/Land", "Europe/Berlin"),
        ("account", "../../etc/passwd", "Europe/Berlin"),
        ("account", "Europe", "Europe/Berlin"),
        ("account", "x" * 5000, "Europe/Berlin"),
        ("account", "a\x00b", "Europe/Berlin"),
        ("account", "", "Europe/Berlin"),
        ("account", 7, "Europe/Berlin"),
        ("America/New_York", "Asia/Tokyo", "America/New_York"),
    ],
    ids=["own", "none", "unknown", "path", "directory", "endless", "nul", "empty", "number", "named"],
)
def test_a_zone_is_the_accounts_own_where_it_has_one(wanted: str, timezone: object, zone: str) -> None:
    assert OFFICE.zone_of(wanted, {"timezone": timezone}) == ZoneInfo(zone)


# ---- dates of accounts


@pytest.mark.parametrize(
    ("members", "value", "local"),
    [
        ({}, "2026-06-15", "2026-06-15T00:00"),
        ({"time": "09:00"}, "2026-06-15", "2026-06-15T09:00"),
        ({"time": "09:00", "before": "30d"}, "2026-06-15", "2026-05-16T09:00"),
        ({"time": "09:00", "before": "30d", "days": "working"}, "2026-06-15", "2026-05-15T09:00"),
        ({"time": "09:00", "after": "1w"}, "2026-06-15", "2026-06-22T09:00"),
        ({"time": "09:00", "before": "2h"}, "2026-06-15", "2026-06-15T07:00"),
        ({"time": "09:00", "days": "working"}, "2026-04-06", "2026-04-02T09:00"),
        ({"time": "09:00"}, "2026-06-15T23:30:00Z", "2026-06-16T09:00"),
        ({"time": "09:00"}, "2026-06-15T23:30:00", "2026-06-15T09:00"),
        ({"time": "09:00", "before": "7d"}, "2026-04-02", "2026-03-26T09:00"),
    ],
    ids=["midnight", "time", "before", "saturday", "after", "hours", "easter", "instant", "naive", "past"],
)
def test_a_date_of_the_account_is_a_day_in_its_zone(members: dict[str, Any], value: str, local: str) -> None:
    found = ends(Until(date="renewal_date", **members), FRIDAY, renewal_date=value)
    assert found == datetime.fromisoformat(local).replace(tzinfo=BERLIN)


@pytest.mark.parametrize("value", [None, 7, "soon", "", "9999-12-31", "0001-01-01", ["2026-01-01"]], ids=str)
def test_what_is_no_date_or_leaves_the_calendar_is_not_waited_for(value: object) -> None:
    after = Until(date="renewal_date", after="30d")
    before = Until(date="renewal_date", before="30d")
    assert None in (
        ends(after, FRIDAY, renewal_date=value),
        ends(before, FRIDAY, renewal_date=value),
    )
    assert ends(after, FRIDAY) is None


# ---- due dates


@pytest.mark.parametrize(
    ("due_in", "local"),
    [
        ("1wd", "2026-04-13T18:30"),
        ("3wd", "2026-04-15T18:30"),
        ("5wd", "2026-04-17T18:30"),
        ("1d", "2026-04-13T18:30"),
        ("3d", "2026-04-13T18:30"),
        ("4d", "2026-04-14T18:30"),
        ("1w", "2026-04-17T18:30"),
        ("4h", "2026-04-10T22:30"),
        ("12h", "2026-04-11T06:30"),
        ("36h", "2026-04-13T06:30"),
        ("199d", "2026-10-27T18:30"),
    ],
)
def test_what_is_due_in_days_is_due_on_a_working_day(due_in: str, local: str) -> None:
    """The last is over the end of summer time, and falls on a holiday."""
    assert OFFICE.due(due_in, FRIDAY) == datetime.fromisoformat(local).replace(tzinfo=BERLIN)


def test_working_days_leave_out_holidays() -> None:
    before_easter = datetime(2026, 4, 2, 8, tzinfo=UTC)
    assert OFFICE.due("1wd", before_easter) == before_easter + 5 * DAY


@given(
    now=MOMENTS,
    count=st.integers(1, 60),
)
def test_so_many_working_days_lie_between_now_and_the_due_date(now: datetime, count: int) -> None:
    due, begin = OFFICE.due(f"{count}wd", now).astimezone(BERLIN), now.astimezone(BERLIN)
    days = [begin.date() + each * DAY for each in range(1, (due.date() - begin.date()).days + 1)]
    assert sum(map(OFFICE.works, days)) == count
    assert OFFICE.works(due.date())


@given(
    now=MOMENTS,
    length=st.sampled_from(["1d", "3d", "2w", "25h", "90m", "23h"]),
)
def test_a_due_date_is_never_earlier_than_told_but_for_the_change_of_clocks(
    now: datetime, length: str
) -> None:
    lengths = {"1d": DAY, "3d": 3 * DAY, "2w": 14 * DAY, "25h": 25 * 60 * MINUTE, "90m": 90 * MINUTE}
    told = now + lengths.get(length, 23 * 60 * MINUTE)
    due = OFFICE.due(length, now)
    if length in ("90m", "23h"):
        assert due == told
    else:
        assert due >= told - 60 * MINUTE
        assert OFFICE.works(due.astimezone(BERLIN).date())


def test_a_calendar_without_working_days_is_a_mistake_that_is_told() -> None:
    never = Calendar(is_holiday=lambda day: True)
    with pytest.raises(ValueError, match="no working day within a year"):
        never.due("1wd", FRIDAY)
    with pytest.raises(ValueError, match="no working day within a year"):
        ends(Until(time="09:00", days="working"), FRIDAY, never)
