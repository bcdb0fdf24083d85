"""Conversions are strict: what is ambiguous is refused and not guessed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from csm_common.mapping.conversions import Times, conversion


def convert(
    kind: str, value: object, *, times: Times | None = None, formats: list[str] | None = None
) -> object:
    return conversion(kind, times or Times(), formats).convert(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "7", "7"),
        ("text", 7, "7"),
        ("text", True, "true"),
        ("lower", "HIGH", "high"),
        ("number", "12.5", 12.5),
        ("number", " 12 ", 12.0),
        ("number", -3, -3.0),
        ("int", "25.0", 25),
        ("int", 25, 25),
        ("bool", "True", True),
        ("bool", "no", False),
        ("bool", 1, True),
        ("bool", False, False),
        ("date", "2025-03-31", date(2025, 3, 31)),
        ("date", "2025-03-31T23:59:00", date(2025, 3, 31)),
        ("moment", "2025-03-31", date(2025, 3, 31)),
        ("moment", "2025-03-31T10:00:00Z", datetime(2025, 3, 31, 10, tzinfo=UTC)),
        ("time", "2025-03-31", datetime(2025, 3, 31, tzinfo=UTC)),
    ],
)
def test_values_that_can_be_read(kind: str, value: object, expected: object) -> None:
    found = convert(kind, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", [1]),
        ("number", "12,5"),
        ("number", "1_000"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", True),
        ("number", []),
        ("int", "2.5"),
        ("bool", "perhaps"),
        ("date", "31.03.2025"),
        ("time", 1_700_000_000),
        ("time", "yesterday"),
        ("moment", "soon"),
    ],
)
def test_values_that_cannot(kind: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        convert(kind, value)


def test_a_time_without_an_offset_is_in_the_mappings_zone() -> None:
    berlin = Times(ZoneInfo("Europe/Berlin"))
    assert convert("time", "2025-07-01T12:00:00", times=berlin) == datetime(2025, 7, 1, 10, tzinfo=UTC)
    assert convert("time", "2025-07-01T12:00:00Z", times=berlin) == datetime(2025, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("formats", "value"),
    [
        (["epoch_s"], "1751364000"),
        (["epoch_ms"], 1_751_364_000_000),
        (["%d.%m.%Y %H:%M"], "01.07.2025 10:00"),
        (["iso", "%d.%m.%Y %H:%M"], "01.07.2025 10:00"),
        (["iso", "epoch_s"], 1_751_364_000),
    ],
)
def test_formats_are_tried_in_order(formats: list[str], value: object) -> None:
    assert convert("time", value, formats=formats) == datetime(2025, 7, 1, 10, tzinfo=UTC)


def test_a_shift_moves_times_exactly_and_dates_by_whole_days() -> None:
    shifted = Times(shift=timedelta(days=10, hours=6))
    assert convert("time", "2025-07-01T20:00:00Z", times=shifted) == datetime(2025, 7, 12, 2, tzinfo=UTC)
    assert convert("date", "2025-07-01", times=shifted) == date(2025, 7, 11)
    assert convert("moment", "2025-07-01", times=shifted) == date(2025, 7, 11)
