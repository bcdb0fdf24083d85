"""What may stand in a contact policy's file, and what it means."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from holidays import country_holidays
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from notifier.domain.caps import Cap, Reserved
from notifier.domain.digest import DigestTime
from notifier.domain.local_times import ANY_DAY, WorkingDays, zone_named
from notifier.domain.policy import ClassRules, ContactPolicy
from notifier.domain.quiet_hours import QuietHours

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MessageClass = Literal["transactional", "internal", "marketing"]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DAY = timedelta(days=1)


def _length(value: object) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})\s*([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a number and s, m, h or d, as in 60s, 36h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _clock(value: object) -> time:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a time of the day in quotes, as in "08:30"')
    return time(int(match[1]), int(match[2]))


def _zone(value: object) -> ZoneInfo:
    zone = zone_named(value)
    if zone is None:
        raise ValueError("write the name of a time zone, as in Europe/Berlin")
    return zone


def _digest_zone(value: object) -> ZoneInfo | None:
    return None if value == "recipient" else _zone(value)


def _holidays(value: object) -> Callable[[date], bool] | None:
    if value is None:
        return None
    country, _, part = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        return country_holidays(country, subdiv=part or None).__contains__
    except NotImplementedError:
        raise ValueError("write a country, as in DE, or a part of it, as in DE-BY") from None


Length = Annotated[timedelta, BeforeValidator(_length)]
Clock = Annotated[time, BeforeValidator(_clock)]
Zone = Annotated[Any, BeforeValidator(_zone)]
Days = Literal["working", "any"]
Priority = Annotated[int, Field(ge=-1000, le=1000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ClassRulesFile(_Strict):
    """What counts for a message class."""

    consent: Literal["none", "opt_out", "opt_in"]
    unsubscriptions: bool
    caps: bool
    quiet_hours: bool


class ReservedFile(_Strict):
    """Slots for urgent messages."""

    priority: Priority
    slots: int = Field(ge=1)


class CapFile(_Strict):
    """A limit in any window of a length."""

    per: Literal["person", "account"]
    limit: int = Field(ge=1)
    within: Length
    reserved: ReservedFile | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if not timedelta(minutes=1) <= self.within <= 366 * _DAY:
            raise ValueError("within must be from 1m to 366d")
        if self.reserved is not None and self.reserved.slots > self.limit:
            raise ValueError(f"{self.reserved.slots} slots are reserved of a limit of {self.limit}")
        return self

    def cap(self) -> Cap:
        """As the domain has it."""
        kept = self.reserved
        reserved = None if kept is None else Reserved(kept.priority, kept.slots)
        return Cap(self.per, self.limit, self.within, reserved)


class QuietHoursFile(_Strict):
    """When people are left alone."""

    begin: Clock = Field(alias="from")
    until: Clock
    days: Days = "any"
    margin: Length = timedelta(seconds=60)

    @model_validator(mode="after")
    def _leave_an_opening(self) -> Self:
        opening = timedelta(
            hours=self.begin.hour - self.until.hour, minutes=self.begin.minute - self.until.minute
        )
        if not opening:
            raise ValueError("from and until are the same time: nothing would ever be sent")
        if opening % _DAY <= self.margin:
            raise ValueError("the margin fills the time between until and from: nothing would ever be sent")
        return self


class DigestFile(_Strict):
    """When a digest is told."""

    at: Clock
    days: Days = "any"
    zone: Annotated[Any, BeforeValidator(_digest_zone)] = None


class DigestsFile(_Strict):
    """What is told together."""

    categories: dict[str, DigestFile] = {}
    classes: dict[MessageClass, DigestFile] = {}


class WorkingDaysFile(_Strict):
    """Days off."""

    weekend: list[Weekday] = ["saturday", "sunday"]
    holidays: Annotated[Any, BeforeValidator(_holidays)] = None

    @model_validator(mode="after")
    def _leave_a_day(self) -> Self:
        if len(set(self.weekend)) == len(WEEKDAYS):
            raise ValueError("the weekend leaves no working day")
        return self

    def days(self, wanted: Days) -> WorkingDays:
        """Those a rule means."""
        if wanted == "any":
            return ANY_DAY
        weekend = frozenset(WEEKDAYS.index(each) for each in self.weekend)
        return WorkingDays(weekend, self.holidays) if self.holidays is not None else WorkingDays(weekend)


class PolicyFile(_Strict):
    """The whole of it. What a file leaves out does not count, but every class must be told of."""

    zone: Zone = ZoneInfo("UTC")
    classes: dict[MessageClass, ClassRulesFile]
    caps: list[CapFile] = []
    quiet_hours: QuietHoursFile | None = None
    working_days: WorkingDaysFile = WorkingDaysFile()
    digests: DigestsFile = DigestsFile()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = {"transactional", "internal", "marketing"} - self.classes.keys()
        if missing:
            raise ValueError(f"classes must also tell of {', '.join(sorted(missing))}")
        names = [each.cap().name for each in self.caps]
        twice = next((each for each in names if names.count(each) > 1), None)
        if twice is not None:
            raise ValueError(f"there are two caps of the same length: {twice}")
        return self

    def policy(self) -> ContactPolicy:
        """As the domain has it."""
        return ContactPolicy(
            classes={name: ClassRules(**each.model_dump()) for name, each in self.classes.items()},
            caps=tuple(each.cap() for each in self.caps),
            quiet_hours=self._quiet_hours(),
            category_digests={name: self._digest(each) for name, each in self.digests.categories.items()},
            class_digests={name: self._digest(each) for name, each in self.digests.classes.items()},
            zone=self.zone,
        )

    def _quiet_hours(self) -> QuietHours | None:
        hours = self.quiet_hours
        if hours is None:
            return None
        return QuietHours(hours.begin, hours.until, self.working_days.days(hours.days), hours.margin)

    def _digest(self, digest: DigestFile) -> DigestTime:
        return DigestTime(digest.at, self.working_days.days(digest.days), digest.zone)
