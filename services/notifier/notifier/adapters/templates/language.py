"""The filters of templates: figures, dates and our own names as the reader's language writes them."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol

from notifier.domain import wording
from notifier.domain.trend import bars, sparkline

_BAND_COLOURS = {"critical": "#b91c1c", "at_risk": "#b45309", "neutral": "#475569", "healthy": "#15803d"}
_PLAIN_ENGLISH = "en_GB"
"""`en` alone says nothing of a country: day, month, year is the order that most read without doubt."""

_CACHED = 1_000
_NO_FRACTION = re.compile(r"([.,])0+(?=[^0-9#]|$)")


def parse_locale(tag: str | None) -> Locale | None:
    """The locale of a tag such as `de-AT` or `de_AT`; None where there is no such one."""
    try:
        return Locale.parse((tag or "").replace("-", "_"))
    except (ValueError, TypeError, UnknownLocaleError):
        return None


class Language:
    """How things are written in a locale, `de` or `de-AT`."""

    def __init__(self, tag: str) -> None:
        locale = parse_locale(tag) or Locale.parse("en")
        self._locale = Locale.parse(_PLAIN_ENGLISH) if str(locale) == "en" else locale
        self._name = locale.language

    @property
    def filters(self) -> dict[str, Callable[..., Any]]:
        """By the names that templates use. The same figures come again and again, so the library is not asked each time."""
        cached = {each.__name__: lru_cache(_CACHED)(each) for each in self._figures}
        return {
            **cached,
            "band_colour": lambda band: _BAND_COLOURS.get(band, "#475569"),
            "bars": bars,
            "heading": lambda name: wording.heading(name, self._name),
            "sparkline": sparkline,
            "words": lambda name: wording.words(name, self._name),
        }

    @property
    def _figures(self) -> tuple[Callable[..., str], ...]:
        return (
            self.change,
            self.clock,
            self.day,
            self.in_days,
            self.money,
            self.number,
            self.percent,
            self.points,
        )

    def points(self, value: float | None) -> str:
        """A score or a part of one, in whole points."""
        return wording.NOTHING if value is None else format_decimal(round(value), locale=self._locale)

    def number(self, value: float | None) -> str:
        """A number with as many decimals as it needs, three at most."""
        return wording.NOTHING if value is None else format_decimal(value, locale=self._locale)

    def change(self, value: float | None) -> str:
        """A gain or a loss of points, with its sign."""
        if value is None:
            return wording.NOTHING
        rounded = round(value)
        sign = "±" if rounded == 0 else "+" if rounded > 0 else "−"
        return sign + format_decimal(abs(rounded), locale=self._locale)

    def percent(self, share: float | None) -> str:
        """A share of 0…1, in whole percent."""
        return wording.NOTHING if share is None else format_percent(round(share, 2), locale=self._locale)

    def money(self, amount: float | None, currency: str | None = None) -> str:
        """An amount in whole units of its currency."""
        if amount is None:
            return wording.NOTHING
        if not currency:
            return format_decimal(round(amount), locale=self._locale)
        pattern = _NO_FRACTION.sub("", self._locale.currency_formats["standard"].pattern)
        if pattern.startswith("¤#") and get_currency_symbol(currency, locale=self._locale)[-1:].isalpha():
            pattern = pattern.replace("¤", "¤\N{NO-BREAK SPACE}")  # CHF 1, but €1
        return format_currency(
            round(amount), currency, format=pattern, currency_digits=False, locale=self._locale
        )

    def day(self, value: date | datetime | str | None) -> str:
        """A date, told so that the order of day and month is beyond doubt; an ISO text is read, any other told as it is."""
        known = _moment(value)
        if known is None:
            return wording.NOTHING if value is None else str(value)
        return format_date(known, format="long", locale=self._locale)

    def clock(self, value: datetime | str | None) -> str:
        """The time of a day in UTC, as 14:05."""
        known = _moment(value)
        return f"{known:%H:%M} UTC" if isinstance(known, datetime) else wording.NOTHING

    def in_days(self, days: int | None) -> str:
        """How far away a day is."""
        if days is None:
            return wording.NOTHING
        near = wording.near_day(days, self._name)
        return near or format_timedelta(
            timedelta(days=days), granularity="day", threshold=10**9, add_direction=True, locale=self._locale
        )


def _moment(value: date | datetime | str | None) -> date | datetime | None:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
    except ValueError:
        return None
