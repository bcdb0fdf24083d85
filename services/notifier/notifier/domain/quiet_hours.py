"""When a person is left alone: by the clock on their wall, so that clocks put forward or back cannot wake them.

A moment is quiet where the person's clock shows a time of the quiet hours, or a day off. Between two candidates (the local times
at which that may change, and the changes of clocks) it is quiet throughout or not at all, so that the ends are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifier.domain.local_times import ANY_DAY, WorkingDays, change_of_clocks, instants

_DAY = timedelta(days=1)
_MIDNIGHT = time()
_LONGEST_REST = 400
"""Days: hours without an opening for so long are a mistake in the policy."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Messages may begin to be sent from `begin` (inclusive) to `end` (exclusive)."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` until `end` of each day, over midnight where the end is not later, and on all days but the working ones.

    Nothing begins within `margin` before them, because sending takes time.
    """

    begin: time
    end: time
    days: WorkingDays = ANY_DAY
    margin: timedelta = timedelta(seconds=60)

    def quiet(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether it is quiet at that instant where the person is. The margin is not part of it."""
        local = instant.astimezone(zone)
        clock = local.time()
        if self.begin < self.end:
            return self.begin <= clock < self.end or not self.days.works(local.date())
        return not self.end <= clock < self.begin or not self.days.works(local.date())

    def opening(self, now: datetime, zone: ZoneInfo) -> Opening:
        """The first time at or after `now` at which something may begin. ValueError where there is none in a year."""
        return _opening(self, now, zone)  # those who are decided about together share it

    def first_opening(self, now: datetime, zone: ZoneInfo) -> Opening:
        """The same, worked out."""
        at = now.astimezone(UTC)
        last = at + _LONGEST_REST * _DAY
        while at < last:
            if self.quiet(at, zone):
                at = self._next(at, zone, quiet=False)
                continue
            closes = self._next(at, zone, quiet=True)
            if at < closes - self.margin:
                return Opening(at, closes - self.margin)
            at = closes
        raise ValueError("the quiet hours of the contact policy leave no time to send anything in a year")

    def _next(self, after: datetime, zone: ZoneInfo, *, quiet: bool) -> datetime:
        """The first instant after `after` at which it is, or is not, quiet; a year later where there is none."""
        for each in self._candidates(after, zone):
            if self.quiet(each, zone) is quiet:
                return each
        return after + _LONGEST_REST * _DAY

    def _candidates(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        for days in range(_LONGEST_REST):
            begin = after + days * _DAY
            found = {each for each in self._local_changes(begin, zone) if begin < each <= begin + _DAY}
            change = change_of_clocks(zone, begin, begin + _DAY)
            yield from sorted(found | {change} if change is not None else found)

    def _local_changes(self, begin: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        today = begin.astimezone(zone).date()
        for days in range(-1, 3):
            for each in {_MIDNIGHT, self.begin, self.end}:
                yield from instants(datetime.combine(today + days * _DAY, each), zone)


@lru_cache(maxsize=256)
def _opening(hours: QuietHours, now: datetime, zone: ZoneInfo) -> Opening:
    return hours.first_opening(now, zone)
