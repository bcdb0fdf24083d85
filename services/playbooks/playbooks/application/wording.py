"""Crossings, lengths of time and waits in words for people."""

from collections.abc import Sequence
from datetime import datetime

from csm_common.contracts.health import Cause, Crossing, MovedPart
from playbooks.domain.actions import ACCOUNT_ZONE, Until
from playbooks.domain.durations import working_days

_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_MOST_PARTS = 3


def crossing_told(crossing: Crossing) -> str:
    """What was crossed, and from where to where."""
    moved = f"{crossing.target} went from {number_told(crossing.before)} to {number_told(crossing.after)}"
    return (
        f"{crossing.threshold} was {crossing.direction}: {moved}, the level is {number_told(crossing.level)}"
    )


def entry_told(crossing: Crossing) -> str:
    """Why a run began, as its timeline and its messages tell it."""
    return f"{crossing_told(crossing)}."


def parts_told(parts: Sequence[MovedPart]) -> str | None:
    """What moved most, the greatest first; None where nothing did."""
    moved = sorted(parts, key=lambda each: -abs((each.after or 0) - (each.before or 0)))[:_MOST_PARTS]
    told = [f"{each.measure} ({number_told(each.before)} to {number_told(each.after)})" for each in moved]
    return f"What moved most, in points: {listed(told)}." if told else None


def cause_told(cause: Cause) -> str:
    """Why it was crossed."""
    match cause.kind:
        case "facts":
            return f"It came of {counted(len(cause.fact_ids), 'fact')}."
        case "timer":
            return "It came of the passing of time: no new fact was needed."
        case "model":
            return "It came of a change of the scorecard, for which outreach was asked."
        case "source":
            return "It came of a source that feeds all accounts."


def wait_told(wait: str | Until, account_zone: str | None = None) -> str:
    """What ends a wait: `2 days`, or `until 09:00 on a working day, in the account's time zone, Europe/Berlin`."""
    if isinstance(wait, str):
        return duration_told(wait)
    named = f", {account_zone}" if account_zone else ""
    zone = f"in the account's time zone{named}" if wait.zone == ACCOUNT_ZONE else f"in {wait.zone}"
    working = "on a working day" if wait.days == "working" else None
    if wait.date is None:
        told = [f"until {wait.time}", working or "on any day", zone]
        return f"{told[0]} {told[1]}, {told[2]}"
    day = f"until {_around(wait)} at {wait.time or '00:00'}"
    return f"{day}{', or the working day before' if working else ''}, {zone}"


def _around(wait: Until) -> str:
    if wait.before is not None:
        return f"{duration_told(wait.before)} before {wait.date}"
    if wait.after is not None:
        return f"{duration_told(wait.after)} after {wait.date}"
    return f"{wait.date}"


def duration_told(text: str) -> str:
    """`2d` as `2 days`, `3wd` as `3 working days`."""
    days = working_days(text)
    return counted(days, "working day") if days is not None else counted(int(text[:-1]), _UNITS[text[-1]])


def counted(count: int, thing: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def listed(told: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]


def instant_told(at: datetime) -> str:
    """An instant to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def number_told(value: float | None) -> str:
    """Four digits, and whole numbers where they are large: `57`, `0.1235`, `120,000`; `unknown` where there is no value."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"


def closed(told: str) -> str:
    """A sentence on one line, with one full stop."""
    line = " ".join(told.split())
    if line.endswith(("..", "!.", "?.")):
        return line[:-1]
    return line if line.endswith((".", "!", "?")) else f"{line}."
