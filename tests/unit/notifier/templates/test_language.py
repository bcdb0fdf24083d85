"""Figures and names as the reader's language writes them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from notifier.adapters.templates.language import Language, parse_locale
from notifier.domain import wording

NBSP = "\N{NO-BREAK SPACE}"


def said(tag: str, filter_name: str, *value: Any) -> str:
    text: str = Language(tag).filters[filter_name](*value)
    return text


@pytest.mark.parametrize(
    ("filter_name", "value", "english", "german"),
    [
        ("points", (None,), "–", "–"),
        ("points", (44.6,), "45", "45"),
        ("points", (1234.0,), "1,234", "1.234"),
        ("number", (1234.5,), "1,234.5", "1.234,5"),
        ("change", (-11.2,), "−11", "−11"),
        ("change", (3.7,), "+4", "+4"),
        ("change", (-0.3,), "±0", "±0"),
        ("change", (None,), "–", "–"),
        ("percent", (0.424,), "42%", f"42{NBSP}%"),
        ("percent", (None,), "–", "–"),
        ("money", (48000.4, "EUR"), "€48,000", f"48.000{NBSP}€"),
        ("money", (48000.4, "CHF"), f"CHF{NBSP}48,000", f"48.000{NBSP}CHF"),
        ("money", (1.0, None), "1", "1"),
        ("money", (None, "EUR"), "–", "–"),
        ("day", (date(2026, 4, 5),), "5 April 2026", "5. April 2026"),
        ("day", ("2026-03-05",), "5 March 2026", "5. März 2026"),
        ("day", ("2026-03-05T10:00:00+00:00",), "5 March 2026", "5. März 2026"),
        ("day", ("soon",), "soon", "soon"),
        ("day", (None,), "–", "–"),
        ("clock", (datetime(2026, 3, 5, 9, 5, tzinfo=UTC),), "09:05 UTC", "09:05 UTC"),
        ("clock", ("2026-03-05",), "–", "–"),
        ("in_days", (None,), "–", "–"),
        ("in_days", (-2,), "2 days ago", "vor 2 Tagen"),
        ("in_days", (-1,), "yesterday", "gestern"),
        ("in_days", (0,), "today", "heute"),
        ("in_days", (1,), "tomorrow", "morgen"),
        ("in_days", (400,), "in 400 days", "in 400 Tagen"),
        ("words", ("at_risk",), "at risk", "gefährdet"),
        ("heading", ("open_tickets",), "Open tickets", "Offene Tickets"),
        ("heading", ("csat_trend",), "CSAT trend", "CSAT trend"),
        ("words", (None,), "–", "–"),
    ],
    ids=str,
)  # fmt: skip
def test_both_languages(filter_name: str, value: tuple[Any, ...], english: str, german: str) -> None:
    assert said("en", filter_name, *value) == english
    assert said("de", filter_name, *value) == german


def test_countries_have_ways_of_their_own() -> None:
    assert said("en-US", "day", date(2026, 4, 5)) == "April 5, 2026"
    assert said("de-AT", "money", 48000, "EUR") == f"€{NBSP}48.000"
    assert said("fr", "in_days", 1) == "dans 1 jour"
    assert said("no such", "points", 1) == "1"


@pytest.mark.parametrize("tag", [None, "", "x", "xx-YY", "de-DE-1996-x", "../..", "\0"])
def test_what_is_no_locale_is_none(tag: str | None) -> None:
    assert parse_locale(tag) is None


def test_names_nobody_translated_stay_as_they_are() -> None:
    assert wording.words("api_errors", "de") == "API errors"
    assert wording.near_day(0, "fr") is None
