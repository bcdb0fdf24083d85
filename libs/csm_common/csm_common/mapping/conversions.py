"""What a mapping can make of a raw value: strict where data is ambiguous, so that nothing is guessed silently."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any

Convert = Callable[[Any], Any]
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE_LENGTH = len("2025-01-31")


@dataclass(frozen=True, slots=True)
class Conversion:
    """`convert` raises ValueError or TypeError for what it cannot read; `code` and `expected` then tell the reason."""

    convert: Convert
    code: str
    expected: str


@dataclass(frozen=True, slots=True)
class Times:
    """How times are read: `zone` where they carry no offset, moved by `shift` afterwards; dates by its whole days."""

    zone: tzinfo = UTC
    shift: timedelta = timedelta(0)


def conversion(
    kind: str, times: Times, formats: Sequence[str] | None = None, factor: float | None = None
) -> Conversion:
    """The conversion of that kind; `formats` of times and dates are tried in order, ISO 8601 by default.

    Numbers are multiplied by `factor`.
    """
    patterns = tuple(formats or ("iso",))
    said = " or ".join("ISO 8601" if each == "iso" else each for each in patterns)
    known = {
        "text": Conversion(to_text, "not_a_text", "a text"),
        "lower": Conversion(lambda value: to_text(value).lower(), "not_a_text", "a text"),
        "number": Conversion(
            to_number if factor is None else _multiplier(factor), "not_a_number", "a number"
        ),
        "int": Conversion(to_int, "not_an_integer", "a whole number"),
        "bool": Conversion(to_bool, "not_a_boolean", "true or false"),
        "time": Conversion(_time_reader(patterns, times), "not_a_time", f"a time as {said}"),
        "date": Conversion(_date_reader(patterns, times), "not_a_date", f"a date as {said}"),
        "moment": Conversion(_moment_reader(patterns, times), "not_a_time", f"a date or time as {said}"),
    }
    return known[kind]


def to_text(value: Any) -> str:
    """Texts as they are; JSON numbers and booleans as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError


def to_number(value: Any) -> float:
    """Numbers, and texts that are one in full: "12.5" but not "12,5", "1_000", "nan" or true."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise TypeError
    number = float(value)
    if not isfinite(number):
        raise ValueError
    return number


def _multiplier(factor: float) -> Convert:
    """Multiplies as people do: 1999 times 0.01 is 19.99, which floats miss."""
    exact = Decimal(repr(factor))
    return lambda value: to_number(Decimal(repr(to_number(value))) * exact)


def to_int(value: Any) -> int:
    """Whole numbers, also written as 25.0."""
    number = to_number(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def to_bool(value: Any) -> bool:
    """true/false, yes/no and 1/0 in any case."""
    word = to_text(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError


def _time_reader(patterns: tuple[str, ...], times: Times) -> Convert:
    zone, shift = times.zone, times.shift
    if patterns == ("iso",) and not shift:  # the hot path of large files
        parse, combine = datetime.fromisoformat, datetime.combine

        def read_iso(value: Any) -> datetime:
            moment = parse(value)
            # combine() takes a third of the time of replace(), which most of the reading would go into
            return moment if moment.tzinfo else combine(moment, moment.time(), zone)

        return read_iso

    def read(value: Any) -> datetime:
        moment = _parse(value, patterns)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)) + shift

    return read


def _date_reader(patterns: tuple[str, ...], times: Times) -> Convert:
    days = timedelta(days=times.shift.days)
    return lambda value: _parse(value, patterns).date() + days


def _moment_reader(patterns: tuple[str, ...], times: Times) -> Convert:
    read_date, read_time = _date_reader(patterns, times), _time_reader(patterns, times)

    def read(value: Any) -> date:
        short = isinstance(value, str) and len(value) == DATE_LENGTH
        return read_date(value) if short else read_time(value)  # type: ignore[no-any-return]

    return read


def _parse(value: Any, patterns: tuple[str, ...]) -> datetime:
    for pattern in patterns:
        try:
            return _parse_one(value, pattern)
        except (TypeError, ValueError, OverflowError):
            continue
    raise ValueError


def _parse_one(value: Any, pattern: str) -> datetime:
    if pattern == "iso":
        return datetime.fromisoformat(value)
    if pattern == "epoch_s":
        return _EPOCH + timedelta(seconds=to_number(value))
    if pattern == "epoch_ms":
        return _EPOCH + timedelta(milliseconds=to_number(value))
    return datetime.strptime(value, pattern)  # noqa: DTZ007 - the zone is set by the caller
