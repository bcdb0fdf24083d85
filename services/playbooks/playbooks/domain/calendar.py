"""When people work: working days and local times, as far as waits and due dates need them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from playbooks.domain.actions import ACCOUNT_ZONE, Until
from playbooks.domain.durations import duration, working_days

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Calendar:
    """`zone` is where accounts without a zone of their own are; `is_holiday` tells days off beside the `weekend` (Monday is 0)."""

    zone: ZoneInfo = _UTC
    weekend: frozenset[int] = frozenset({5, 6})
    is_holiday: Callable[[date], bool] = lambda day: False

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        raise NotImplementedError

    def zone_of(self, wanted: str, attributes: object) -> ZoneInfo:
        """The zone a playbook names: that of the account (attribute `timezone`, where it is one), or by name."""
        raise NotImplementedError

    def wait_ends(self, until: Until, attributes: object, now: datetime) -> datetime | None:
        """When a wait that begins `now` ends, in UTC; None where the account has no such date. May lie in the past."""
        raise NotImplementedError

    def due(self, due_in: str, now: datetime) -> datetime:
        """When a task that is opened `now` is due."""
        raise NotImplementedError


__all__ = ["ACCOUNT_ZONE", "UTC", "Calendar", "duration", "time", "timedelta", "working_days"]
