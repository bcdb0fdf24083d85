"""Conditions, durations and calendars as the documents have them, told a second time for the oracle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS_OFF = {date(2026, 3, 9), date(2026, 5, 1)}
HOME = "Europe/Berlin"
Plain = Mapping[str, Any]


class MissingError(Exception):
    """The account, or the run, lacks what a condition speaks of."""


@dataclass
class Seen:
    """What a condition may speak of; looking for what is not there raises MissingError."""

    news: Plain
    steps: Mapping[str, Plain] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        if name not in self.news["attributes"]:
            raise MissingError(name)
        return self.news["attributes"][name]

    def has(self, name: str) -> bool:
        return name in self.news["attributes"]

    def score(self) -> float:
        if self.news["score"] is None:
            raise MissingError("score")
        return float(self.news["score"])

    def task(self, step: str) -> Plain:
        if "task" not in self.steps.get(step, {}):
            raise MissingError(step)
        return self.steps[step]["task"]  # type: ignore[no-any-return]


def either(*asked: Callable[[], bool]) -> bool:
    """One that holds decides, whatever the others lack."""
    missing = None
    for each in asked:
        try:
            if each():
                return True
        except MissingError as error:
            missing = error
    if missing:
        raise missing
    return False


CHURNED = "has(account.stage) && account.stage == 'churned'"
MEANING: dict[str, Callable[[Seen], bool]] = {
    "true": lambda _: True,
    "!backfilling": lambda _: True,
    CHURNED: lambda s: s.has("stage") and s.get("stage") == "churned",
    "!has(account.stage) || account.stage != 'churned'": lambda s: not s.has("stage") or s.get("stage") != "churned",
    "account.vip || score >= 0": lambda s: either(lambda: s.get("vip"), lambda: s.score() >= 0),
    "account.arr >= 10000": lambda s: s.get("arr") >= 10000,
    "account.arr >= 100000.0": lambda s: s.get("arr") >= 100000,
    "account.plan == 'plus' || has(steps.call)": lambda s: either(
        lambda: s.get("plan") == "plus", lambda: "call" in s.steps
    ),
    "score != null && score >= 60": lambda s: s.news["score"] is not None and s.score() >= 60,
    "band == 'red'": lambda s: s.news["band"] == "red",
    "values.seats < 0.8": lambda s: s.news["values"]["seats"] < 0.8,
    "steps.call.task.status == 'done'": lambda s: s.task("call")["status"] == "done",
    "steps.rescue.task.status in ['done', 'cancelled']": lambda s: s.task("rescue")["status"] in ("done", "cancelled"),
    "steps.rescue.task.outcome == 'saved'": lambda s: s.task("rescue")["outcome"] == "saved",
    "steps.rescued.path == 'timed_out' || steps.rescue.task.outcome == 'lost'": lambda s: either(
        lambda: s.steps["rescued"]["path"] == "timed_out", lambda: s.task("rescue")["outcome"] == "lost"
    ),
    "has(steps.call) && steps.call.task.outcome == 'lost'": lambda s: (
        "call" in s.steps and s.task("call")["outcome"] == "lost"
    ),
}  # fmt: skip


def holds(condition: str, seen: Seen) -> bool | None:
    """True or false; None where it cannot be decided."""
    try:
        return MEANING[condition](seen)
    except MissingError:
        return None


def length(text: str) -> timedelta:
    """Of a duration."""
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])})


def instant(local: datetime, zone: str) -> datetime:
    """By trying every offset the zone has around: the first that gives this local time; in a gap the one from before it."""
    near = [(local + timedelta(days=d)).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for d in (-2, 2)]
    offsets = [each.utcoffset() or timedelta() for each in near]
    for offset in sorted(offsets, reverse=True):
        at = (local - offset).replace(tzinfo=UTC)
        if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
            return at
    return (local - offsets[0]).replace(tzinfo=UTC)


def works(day: date) -> bool:
    """Monday to Friday, but for days off."""
    return day.isoweekday() <= 5 and day not in DAYS_OFF


def wait_ends(wait: Plain, attributes: Plain, now: datetime) -> datetime | None:
    """When a wait on the calendar ends."""
    zone = wait.get("zone", "account")
    zone = attributes.get("timezone", HOME) if zone == "account" else zone
    clock = time.fromisoformat(wait.get("time", "00:00"))
    if "date" in wait:
        if wait["date"] not in attributes:
            return None
        local = datetime.combine(date.fromisoformat(attributes[wait["date"]]), clock)
        local += length(wait["after"]) if "after" in wait else -length(wait.get("before", "0d"))
        while wait.get("days") == "working" and not works(local.date()):
            local -= timedelta(days=1)
        return instant(local, zone)
    day = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    while (at := instant(datetime.combine(day, clock), zone)) < now or (
        wait.get("days") == "working" and not works(day)
    ):
        day += timedelta(days=1)
    return at


def task_due(text: str, now: datetime) -> datetime:
    """When work is due that is given now."""
    if not text.endswith("wd") and length(text) < timedelta(days=1):
        return now + length(text)
    local = now.astimezone(ZoneInfo(HOME)).replace(tzinfo=None)
    if text.endswith("wd"):
        for _ in range(int(text[:-2])):
            local += timedelta(days=1)
            while not works(local.date()):
                local += timedelta(days=1)
        return instant(local, HOME)
    local += length(text)
    while not works(local.date()):
        local += timedelta(days=1)
    return instant(local, HOME)
