"""Turns a mapping's value descriptions into functions of a row, once per mapping, so that a row costs a few calls only."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from csm_common.mapping.columns import Columns
from csm_common.mapping.conditions import Getter, Row
from csm_common.mapping.conversions import Conversion, Times, conversion, to_text
from csm_common.mapping.language import Value
from csm_common.mapping.rejection import RejectedRowError, shown

Label = Callable[[Row], str]


class _Origin(NamedTuple):
    """`label` names the column that the value of a row comes from, for the sentence that tells what is wrong with it."""

    get: Getter
    label: Label


def compile_value(
    value: Value, columns: Columns, *, kind: str, times: Times, required: bool = False
) -> Getter:
    """A function from a row to the value, None when it is missing; RejectedRowError when the mapping's rules forbid it.

    `kind` applies where the mapping does not tell.
    """
    if value.const is not None:
        constant = value.const
        return lambda row: constant
    get, label = _origin(value, columns)
    if value.without:
        get = _rest(get, label, frozenset(value.without))
    kind = value.kind or _assumed(value, kind)
    if kind != "keep" and not (kind == "text" and columns.always_text):
        get = _converted(get, label, conversion(kind, times, value.formats, value.times))
    if value.map is not None:
        get = _looked_up(get, label, value.map)
    if value.min is not None or value.max is not None:
        get = _bounded(get, label, value.min, value.max)
    return _demanded(get, label) if required or value.required else get


def _assumed(value: Value, kind: str) -> str:
    if value.map:
        return "text"
    if value.without:
        return "keep"
    return "number" if value.arithmetic else kind


def _origin(value: Value, columns: Columns) -> _Origin:
    names = ", ".join(value.columns)
    readers = {each: columns(each) for each in value.columns}
    if value.join is not None:
        parts = [readers[each] for each in value.join]
        return _Origin(_joined(parts, value.separator, names), lambda row: names)
    if len(readers) == 1:
        return _Origin(readers[names], lambda row: names)

    def first(row: Row) -> Any:
        return next((found for read in readers.values() if (found := read(row)) is not None), None)

    def label(row: Row) -> str:
        return next((name for name, read in readers.items() if read(row) is not None), names)

    return _Origin(first, label)


def _joined(readers: Sequence[Getter], separator: str, names: str) -> Getter:
    def join(row: Row) -> Any:
        parts = [read(row) for read in readers]
        if None in parts:
            return None
        try:
            return separator.join(map(to_text, parts))
        except TypeError:
            raise _fault("not_a_text", names, f"is {shown(parts)}, expected texts") from None

    return join


def _rest(take: Getter, label: Label, without: frozenset[str]) -> Getter:
    def get(row: Row) -> Any:
        found = take(row)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise _fault("not_an_object", label(row), f"is {shown(found)}, expected an object")
        return {
            name: each for name, each in found.items() if name not in without and each is not None
        } or None

    return get


def _converted(take: Getter, label: Label, how: Conversion) -> Getter:
    convert = how.convert

    def get(row: Row) -> Any:
        raw = take(row)
        if raw is None:
            return None
        try:
            return convert(raw)
        except (TypeError, ValueError, OverflowError):
            raise _fault(how.code, label(row), f"is {shown(raw)}, expected {how.expected}") from None

    return get


def _looked_up(get: Getter, label: Label, table: dict[str, Any]) -> Getter:
    def look_up(row: Row) -> Any:
        found = get(row)
        if found is None:
            return None
        try:
            return table[to_text(found)]
        except (KeyError, TypeError):
            expected = f"expected one of {', '.join(table)}"
            raise _fault("unknown_value", label(row), f"is {shown(found)}, {expected}") from None

    return look_up


def _bounded(get: Getter, label: Label, low: float | None, high: float | None) -> Getter:
    least = float("-inf") if low is None else low
    most = float("inf") if high is None else high
    limits = [
        f"{side} {limit:g}" for side, limit in (("at least", low), ("at most", high)) if limit is not None
    ]

    def bound(row: Row) -> Any:
        found = get(row)
        if found is not None and not least <= found <= most:
            raise _fault("out_of_range", label(row), f"is {found:g}, expected {' and '.join(limits)}")
        return found

    return bound


def _demanded(get: Getter, label: Label) -> Getter:
    def demand(row: Row) -> Any:
        found = get(row)
        if found is None:
            raise _fault("missing_value", label(row), "is missing")
        return found

    return demand


def _fault(code: str, column: str, sentence: str) -> RejectedRowError:
    return RejectedRowError(code, f"{column} {sentence}", column=column)
