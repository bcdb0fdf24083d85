"""Quiet hours end to the second wherever the person is, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.domain.local_times import ANY_DAY, WorkingDays, change_of_clocks
from notifier.domain.quiet_hours import QuietHours

MINUTE = timedelta(minutes=1)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",  # half an hour
        "America/Santiago",  # at midnight
        "Africa/Cairo",
        "Asia/Kathmandu",
        "Pacific/Apia",
    )
]

clocks = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30)))
near_a_change = st.sampled_from(
    [
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 3, 8, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 4, 5, tzinfo=UTC),
        datetime(2026, 9, 6, tzinfo=UTC),
        datetime(2026, 4, 24, tzinfo=UTC),
        datetime(2026, 7, 1, tzinfo=UTC),
    ]
)
moments = st.builds(
    lambda day, minutes: day + minutes * MINUTE, near_a_change, st.integers(-2 * 1440, 2 * 1440)
)


@given(st.sampled_from(ZONES), clocks, clocks, st.booleans(), moments)
@example(BERLIN, time(22), time(2, 30), False, datetime(2026, 3, 28, 23, tzinfo=UTC))
@example(BERLIN, time(22), time(2, 30), False, datetime(2026, 10, 24, 23, tzinfo=UTC))
@example(BERLIN, time(2, 30), time(1), False, datetime(2026, 10, 25, 0, 40, tzinfo=UTC))
@settings(max_examples=150, deadline=None)
def test_a_hold_ends_when_a_scan_of_every_minute_says_so(
    zone: ZoneInfo, begin: time, end: time, working: bool, now: datetime
) -> None:
    if begin == end:
        return
    hours = QuietHours(begin, end, WorkingDays() if working else ANY_DAY, margin=5 * MINUTE)
    scanned = _scanned(hours, zone, now)
    opening = hours.opening(now, zone)
    assert opening.begin == scanned
    assert not hours.quiet(opening.begin, zone)
    assert opening.end == _first_quiet(hours, zone, opening.begin) - hours.margin


def _scanned(hours: QuietHours, zone: ZoneInfo, now: datetime) -> datetime:
    """The first minute after which it is not quiet for longer than the margin."""
    at, calm = now, 0
    while calm <= hours.margin // MINUTE:
        calm = 0 if hours.quiet(at, zone) else calm + 1
        at += MINUTE
    return at - calm * MINUTE


def _first_quiet(hours: QuietHours, zone: ZoneInfo, at: datetime) -> datetime:
    while not hours.quiet(at, zone):
        at += MINUTE
    return at


@given(moments, st.integers(0, 86_399_999_999))
@settings(max_examples=100, deadline=None)
def test_never_is_a_moment_given_free_that_is_quiet_or_too_near(now: datetime, micro: int) -> None:
    hours = QuietHours(time(19), time(8), WorkingDays())
    now += timedelta(microseconds=micro)
    opening = hours.opening(now, BERLIN)
    assert now <= opening.begin < opening.end
    for each in (opening.begin, opening.end, opening.end + hours.margin - timedelta(microseconds=1)):
        assert not hours.quiet(each, BERLIN)
    assert hours.quiet(opening.end + hours.margin, BERLIN)


def test_a_time_that_clocks_skip_ends_quiet_hours_when_they_are_put_forward() -> None:
    hours = QuietHours(time(22), time(2, 30))
    ends = hours.opening(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), BERLIN).begin
    assert ends == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 03:00 there


def test_hours_that_come_twice_are_quiet_twice() -> None:
    hours = QuietHours(time(2), time(3))
    first = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 there
    assert hours.opening(first, BERLIN).begin == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)


def test_days_off_are_quiet_all_day_long() -> None:
    christmas = WorkingDays(is_holiday=lambda day: day == date(2026, 12, 25))
    hours = QuietHours(time(19), time(8), christmas)
    thursday_evening = datetime(2026, 12, 24, 19, 30, tzinfo=UTC)
    assert hours.opening(thursday_evening, ZoneInfo("UTC")).begin == datetime(2026, 12, 28, 8, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0, 1, 59, 60])
def test_nothing_begins_within_the_margin_before_them(seconds: int) -> None:
    hours = QuietHours(time(19), time(8))
    now = datetime(2026, 3, 2, 19, tzinfo=UTC) - timedelta(seconds=seconds)
    assert hours.opening(now, ZoneInfo("UTC")).begin == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_a_moment_before_the_margin_is_free_to_it() -> None:
    hours = QuietHours(time(19), time(8))
    now = datetime(2026, 3, 2, 18, 58, 59, 999_999, tzinfo=UTC)
    opening = hours.opening(now, ZoneInfo("UTC"))
    assert (opening.begin, opening.end) == (now, datetime(2026, 3, 2, 18, 59, tzinfo=UTC))


def test_the_change_of_clocks_is_found_to_the_second() -> None:
    begin = datetime(2026, 3, 8, 0, 0, 0, 700_000, tzinfo=UTC)
    change = change_of_clocks(NEW_YORK, begin, begin + timedelta(days=1))
    assert change == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_hours_without_an_opening_are_refused() -> None:
    never = QuietHours(time(19), time(8), WorkingDays(frozenset(range(7))))
    with pytest.raises(ValueError, match="leave no time"):
        never.opening(datetime(2026, 3, 2, tzinfo=UTC), BERLIN)
