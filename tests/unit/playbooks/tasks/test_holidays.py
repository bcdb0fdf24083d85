"""The working calendar of the settings."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from csm_common.errors import FatalError
from playbooks.adapters.holidays import working_calendar
from playbooks.settings import CalendarSettings

EPIPHANY, CHRISTMAS, TUESDAY, FRIDAY = (
    date(2026, 1, 6), date(2026, 12, 25), date(2026, 1, 13), date(2026, 1, 9),
)  # fmt: skip


def works(day: date, **settings: object) -> bool:
    return working_calendar(CalendarSettings.model_validate(settings)).works(day)


def test_there_are_no_holidays_unless_told() -> None:
    assert works(EPIPHANY)
    assert works(CHRISTMAS)


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    assert works(EPIPHANY, holidays="DE")
    assert not works(EPIPHANY, holidays="DE-BY")
    assert not works(CHRISTMAS, holidays="DE")
    assert works(TUESDAY, holidays="DE-BY")


def test_the_weekend_is_that_of_the_settings() -> None:
    assert not works(FRIDAY, weekend=("friday", "saturday"))
    assert works(date(2026, 1, 11), weekend=("friday", "saturday"))  # a Sunday
    assert works(date(2026, 1, 11), weekend=())


def test_due_dates_are_reckoned_in_the_zone_of_the_settings() -> None:
    calendar = working_calendar(CalendarSettings(zone="Asia/Tokyo"))
    assert calendar.zone == ZoneInfo("Asia/Tokyo")
    friday_night = datetime(2026, 1, 9, 20, tzinfo=UTC)  # Saturday in Tokyo
    assert calendar.due("1wd", friday_night) == datetime(2026, 1, 11, 20, tzinfo=UTC)  # Monday in Tokyo


@pytest.mark.parametrize("region", ["ZZ", "DE-XX", "germany", ""])
def test_holidays_that_nobody_knows_stop_the_service_with_a_sentence(region: str) -> None:
    with pytest.raises(FatalError, match=r"CSM_PLAYBOOKS__CALENDAR__HOLIDAYS is .* such as DE-BY"):
        works(EPIPHANY, holidays=region)


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no time zone 'Mars/Base'"):
        CalendarSettings(zone="Mars/Base")


def test_a_week_has_a_working_day() -> None:
    with pytest.raises(ValidationError):
        CalendarSettings(
            weekend=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        )
