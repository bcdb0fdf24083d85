"""The working calendar of the settings: a time zone, the weekend, and the public holidays of a country or a part of it."""

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from holidays import country_holidays

from csm_common.errors import FatalError
from playbooks.domain.calendar import Calendar
from playbooks.settings import WEEKDAYS, CalendarSettings


def working_calendar(settings: CalendarSettings) -> Calendar:
    """The calendar that waits and due dates go by; FatalError where nobody knows the holidays that are asked for."""
    weekend = frozenset(WEEKDAYS.index(each) for each in settings.weekend)
    if settings.holidays is None:
        return Calendar(zone=ZoneInfo(settings.zone), weekend=weekend)
    return Calendar(
        zone=ZoneInfo(settings.zone), weekend=weekend, is_holiday=public_holidays(settings.holidays)
    )


def public_holidays(region: str) -> Callable[[date], bool]:
    """Tells the public holidays of a region: `DE`, or `DE-BY` with the part's code of ISO 3166-2."""
    country, _, part = region.partition("-")
    try:
        known = country_holidays(country, subdiv=part or None)
    except NotImplementedError as error:
        raise FatalError(
            f"CSM_PLAYBOOKS__CALENDAR__HOLIDAYS is {region!r}: {error}. Write a country such as DE, or a part of it such as"
            " DE-BY (ISO 3166-2); leave it out for no holidays."
        ) from error
    return known.__contains__
