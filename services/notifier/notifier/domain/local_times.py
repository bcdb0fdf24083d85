"""Time zones and working days, for quiet hours and digests: local times become instants, across the changes of clocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SECOND = timedelta(seconds=1)


def zone_named(name: object) -> ZoneInfo | None:
    """The zone of that name; None for what is no zone, since customers' data name them."""
    if not isinstance(name, str):
        return None
    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # a path, a directory, a name too long for the system
        return None


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """All days but the `weekend` (Monday is 0) and the holidays."""

    weekend: frozenset[int] = frozenset({5, 6})
    is_holiday: Callable[[date], bool] = lambda day: False

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.weekday() not in self.weekend and not self.is_holiday(day)


ANY_DAY = WorkingDays(frozenset())
"""Every day is one."""


def instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last instant, in UTC, at which clocks show a naive local time.

    Where clocks skip it, it is read with the offset from before the gap, and with that from after it.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return first, local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def change_of_clocks(zone: ZoneInfo, begin: datetime, end: datetime) -> datetime | None:
    """The instant in (begin, end] from which another offset from UTC counts; within a day there is at most one."""
    before, after = begin, end
    offset = _offset(zone, before)
    if offset == _offset(zone, after):
        return None
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
    return after.replace(microsecond=0)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
