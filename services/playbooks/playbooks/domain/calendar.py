"""When people work: working days and local times, as far as waits and due dates need them.

A local time becomes an instant as RFC 5545 §3.3.5 has it: one that comes twice, when clocks are put back, is its first
occurrence; one that never comes, when they are put forward, is read with the offset from before the gap (02:30 is 03:30).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from playbooks.domain.actions import ACCOUNT_ZONE, Until
from playbooks.domain.durations import duration, working_days

_UTC = ZoneInfo("UTC")
_DAY = timedelta(days=1)
_LONGEST_REST = 366
"""Days: a calendar without a working day for so long is a mistake in the settings."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """`zone` is where accounts without a zone of their own are; `is_holiday` tells days off beside the `weekend` (Monday is 0).

    ValueError from all that looks for a working day where there is none in a year.
    """

    zone: ZoneInfo = _UTC
    weekend: frozenset[int] = frozenset({5, 6})
    is_holiday: Callable[[date], bool] = lambda day: False

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.weekday() not in self.weekend and not self.is_holiday(day)

    def zone_of(self, wanted: str, attributes: Mapping[str, Any]) -> ZoneInfo:
        """The zone a playbook names: that of the account (attribute `timezone`, where it is one), or by name."""
        if wanted != ACCOUNT_ZONE:
            return ZoneInfo(wanted)
        return _zone(attributes.get("timezone")) or self.zone

    def wait_ends(self, until: Until, attributes: Mapping[str, Any], now: datetime) -> datetime | None:
        """When a wait that begins `now` ends, in UTC; None where the account has no such date. May lie in the past."""
        zone = self.zone_of(until.zone, attributes)
        if until.date is None:
            return self._next(until.time_of_day, zone, now, working=until.days == "working")
        day = _day(attributes.get(until.date), zone)
        if day is None:
            return None
        try:
            local = datetime.combine(day, until.time_of_day) + _shift(until)
            return _instant(self._moved(local, -_DAY) if until.days == "working" else local, zone)
        except OverflowError:  # a date at the very end of the calendar: there is no such day
            return None

    def due(self, due_in: str, now: datetime) -> datetime:
        """When a task that is opened `now` is due, in UTC.

        Working days are counted from the day after today, in the calendar's zone, and end at the same local time. A day and more
        ends at the same local time too, on the next working day where it would end on a day off; hours are hours.
        """
        local = now.astimezone(self.zone).replace(tzinfo=None)
        count = working_days(due_in)
        if count is not None:
            for _ in range(count):
                local = self._moved(local + _DAY, _DAY)
            return _instant(local, self.zone)
        length = duration(due_in)
        return now + length if length < _DAY else _instant(self._moved(local + length, _DAY), self.zone)

    def _next(self, wanted: time, zone: ZoneInfo, now: datetime, *, working: bool) -> datetime:
        """The first `wanted` at or after `now`. From yesterday on: a time in a gap over midnight comes a day later."""
        yesterday = datetime.combine(now.astimezone(zone).date() - _DAY, wanted)
        for days in range(_LONGEST_REST):
            instant = _instant(yesterday + days * _DAY, zone)
            if instant >= now and (not working or self.works(instant.astimezone(zone).date())):
                return instant
        raise _no_working_day(yesterday)

    def _moved(self, local: datetime, step: timedelta) -> datetime:
        """The same time on the first working day, that day itself or as many steps away as it takes."""
        for days in range(_LONGEST_REST):
            if self.works((local + days * step).date()):
                return local + days * step
        raise _no_working_day(local)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _shift(until: Until) -> timedelta:
    if until.before is not None:
        return -duration(until.before)
    return duration(until.after) if until.after is not None else timedelta()


def _day(value: object, zone: ZoneInfo) -> date | None:
    """The local day of an account's date or date-time; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        told = datetime.fromisoformat(value)
        return told.date() if told.tzinfo is None else told.astimezone(zone).date()
    except (ValueError, OverflowError):
        return None


def _zone(name: object) -> ZoneInfo | None:
    if not isinstance(name, str):
        return None
    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # a path, a directory, a name longer than the system takes
        return None


def _no_working_day(local: datetime) -> ValueError:
    return ValueError(
        f"The calendar has no working day within a year of {local:%Y-%m-%d}; look at its weekend and its holidays."
    )
