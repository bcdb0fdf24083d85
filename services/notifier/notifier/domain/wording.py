"""Figures and names as people read them in a message."""

from datetime import date, datetime

NOTHING = "–"
_ABBREVIATIONS = ("api", "arr", "ces", "csat", "mrr", "nps", "sla")


def points(value: float | None) -> str:
    """A score or a part of one, in whole points."""
    return NOTHING if value is None else f"{round(value):d}"


def change(value: float | None) -> str:
    """A gain or a loss of points, with its sign."""
    if value is None:
        return NOTHING
    rounded = round(value)
    return "±0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded):d}"


def words(name: str | None) -> str:
    """A name of ours (`open_tickets`, `nps`) as it stands in a sentence."""
    if not name:
        return NOTHING
    return " ".join(each.upper() if each in _ABBREVIATIONS else each for each in name.split("_"))


def heading(name: str | None) -> str:
    """The same with a capital."""
    text = words(name)
    return text[:1].upper() + text[1:]


def money(amount: float | None, currency: str | None) -> str:
    """An amount in whole units of its currency."""
    if amount is None:
        return NOTHING
    return f"{currency or ''} {amount:,.0f}".strip()


def day(value: date | datetime | None) -> str:
    """A date without any doubt about the order of day and month."""
    return NOTHING if value is None else f"{value.day} {value:%B %Y}"


def in_days(days: int | None) -> str:
    """How far away a day is."""
    if days is None:
        return NOTHING
    if days < 0:
        return f"{-days} day{'s' * (days != -1)} ago"
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def percent(share: float | None) -> str:
    """A share of 0…1, in whole percent."""
    return NOTHING if share is None else f"{round(share * 100):d} %"
