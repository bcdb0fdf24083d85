"""Figures and names as people read them."""

from datetime import date

import pytest

from notifier.domain import wording


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.2, "0"), (44.4, "44"), (44.6, "45"), (100.0, "100")]
)
def test_points(value: float | None, text: str) -> None:
    assert wording.points(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (-11.2, "−11"), (3.7, "+4"), (0.3, "±0"), (-0.3, "±0")]
)
def test_change(value: float | None, text: str) -> None:
    assert wording.change(value) == text


@pytest.mark.parametrize(
    ("name", "text", "capital"),
    [
        (None, "–", "–"),
        ("at_risk", "at risk", "At risk"),
        ("nps", "NPS", "NPS"),
        ("csat_trend", "CSAT trend", "CSAT trend"),
    ],
)
def test_names(name: str | None, text: str, capital: str) -> None:
    assert (wording.words(name), wording.heading(name)) == (text, capital)


def test_money() -> None:
    assert wording.money(48000.4, "EUR") == "EUR 48,000"
    assert wording.money(1.0, None) == "1"
    assert wording.money(None, "EUR") == "–"


def test_days() -> None:
    assert wording.day(date(2026, 4, 5)) == "5 April 2026"
    assert wording.day(None) == "–"
    assert [wording.in_days(days) for days in (None, -2, -1, 0, 1, 43)] == [
        "–",
        "2 days ago",
        "1 day ago",
        "today",
        "tomorrow",
        "in 43 days",
    ]


def test_percent() -> None:
    assert (wording.percent(0.424), wording.percent(None)) == ("42 %", "–")
