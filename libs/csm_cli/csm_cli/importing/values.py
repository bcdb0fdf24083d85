"""Turns a mapping's value descriptions into functions of a row, once per file, so that a row costs a few calls only."""

from collections.abc import Sequence
from typing import Any, Protocol

from csm_cli.importing.conditions import Getter, Row
from csm_cli.importing.conversions import Conversion, Times, conversion, to_text
from csm_cli.importing.mapping import Value
from csm_cli.importing.rejection import RejectedRowError, shown


class Columns(Protocol):
    """Makes the reader of a column by name; the reader gives None for a missing value."""

    always_text: bool

    def __call__(self, name: str) -> Getter:
        """KeyError when there is no such column."""
        ...


class CsvColumns:
    """Readers for rows that are lists in the order of `header`."""

    always_text = True

    def __init__(self, header: Sequence[str], nulls: Sequence[str]) -> None:
        self._places = {name: index for index, name in enumerate(header)}
        self._missing = frozenset(nulls)

    def __call__(self, name: str) -> Getter:
        """The reader of that column; KeyError when the header does not have it."""
        index, missing = self._places[name], self._missing

        def read(row: Row) -> Any:
            text = row[index]
            return None if text in missing else text

        return read


class JsonColumns:
    """Readers for rows that are JSON objects; a member that is absent or null is missing."""

    always_text = False

    def __init__(self, nulls: Sequence[str]) -> None:
        self._missing = frozenset(nulls)

    def __call__(self, name: str) -> Getter:
        """The reader of that member."""
        missing = self._missing

        def read(row: Row) -> Any:
            value = row.get(name)
            return None if isinstance(value, str) and value in missing else value

        return read


def compile_value(
    value: Value, columns: Columns, *, kind: str, times: Times, required: bool = False
) -> Getter:
    """A function from a row to the value, None when it is missing; RejectedRowError when the mapping's rules forbid it.

    `kind` applies where the mapping does not tell.
    """
    if value.const is not None:
        constant = value.const
        return lambda row: constant
    label = ", ".join(value.columns)
    bounded = value.min is not None or value.max is not None
    assumed = "text" if value.map else "number" if bounded else kind
    kind = value.kind or assumed
    get = _origin(value, columns)
    if kind != "keep" and not (kind == "text" and columns.always_text):
        get = _converted(get, label, conversion(kind, times, value.formats))
    if value.map is not None:
        get = _looked_up(get, label, value.map)
    if bounded:
        get = _bounded(get, label, value.min, value.max)
    return _demanded(get, label) if required or value.required else get


def _origin(value: Value, columns: Columns) -> Getter:
    readers = [columns(each) for each in value.columns]
    if value.join is not None:
        return _joined(readers, value.separator)
    if len(readers) == 1:
        return readers[0]
    return lambda row: next((found for read in readers if (found := read(row)) is not None), None)


def _joined(readers: Sequence[Getter], separator: str) -> Getter:
    def join(row: Row) -> Any:
        parts = [read(row) for read in readers]
        return None if None in parts else separator.join(map(to_text, parts))

    return join


def _converted(take: Getter, label: str, how: Conversion) -> Getter:
    convert = how.convert

    def get(row: Row) -> Any:
        raw = take(row)
        if raw is None:
            return None
        try:
            return convert(raw)
        except (TypeError, ValueError, OverflowError):
            sentence = f"{label} is {shown(raw)}, expected {how.expected}"
            raise RejectedRowError(how.code, sentence, column=label) from None

    return get


def _looked_up(get: Getter, label: str, table: dict[str, Any]) -> Getter:
    def look_up(row: Row) -> Any:
        found = get(row)
        if found is None:
            return None
        try:
            return table[to_text(found)]
        except (KeyError, TypeError):
            sentence = f"{label} is {shown(found)}, expected one of {', '.join(table)}"
            raise RejectedRowError("unknown_value", sentence, column=label) from None

    return look_up


def _bounded(get: Getter, label: str, low: float | None, high: float | None) -> Getter:
    least = float("-inf") if low is None else low
    most = float("inf") if high is None else high
    limits = [
        f"{side} {limit:g}" for side, limit in (("at least", low), ("at most", high)) if limit is not None
    ]

    def bound(row: Row) -> Any:
        found = get(row)
        if found is not None and not least <= found <= most:
            sentence = f"{label} is {found:g}, expected {' and '.join(limits)}"
            raise RejectedRowError("out_of_range", sentence, column=label)
        return found

    return bound


def _demanded(get: Getter, label: str) -> Getter:
    def demand(row: Row) -> Any:
        found = get(row)
        if found is None:
            raise RejectedRowError("missing_value", f"{label} is missing", column=label)
        return found

    return demand
