"""Durations as people write them in a playbook: `30m`, `4h`, `2d`; and working days, `3wd`, for what people have to do."""

import re
from datetime import timedelta

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SHAPE = re.compile(r"([1-9][0-9]{0,4})([smhdw])", re.ASCII)
_WORKING_DAYS = re.compile(r"([1-9][0-9]{0,2})wd", re.ASCII)


def duration(text: str) -> timedelta:
    """The length of `text`: a whole number and one of s, m, h, d, w. ValueError where it is anything else.

    >>> duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is not a duration: write a whole number and s, m, h, d or w, as in 30m, 4h or 2d"
        )
    return int(found[1]) * _UNITS[found[2]]


def working_days(text: str) -> int | None:
    """How many working days `text` tells; None where it tells a plain duration, or nothing.

    >>> working_days("3wd")
    3
    """
    found = _WORKING_DAYS.fullmatch(text)
    return None if found is None else int(found[1])
