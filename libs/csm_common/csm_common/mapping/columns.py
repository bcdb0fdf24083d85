"""How the columns of a row are read: by their place in a CSV row, by name or path in a JSON object."""

from collections.abc import Sequence
from typing import Any, Protocol

from csm_common.mapping.conditions import Getter, Row


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
    """Readers for rows that are JSON objects; what is absent, null or one of `nulls` is missing."""

    always_text = False

    def __init__(self, nulls: Sequence[str] = ("",)) -> None:
        self._missing = frozenset(nulls)

    def __call__(self, name: str) -> Getter:
        """The reader of the member of exactly that name, else of what the dotted path leads to: `plan.name`, `items.0.id`."""
        missing, path = self._missing, name.split(".")

        def read(row: Row) -> Any:
            value = row.get(name)
            if value is None and len(path) > 1:
                value = _follow(row, path)
            return None if isinstance(value, str) and value in missing else value

        return read


def _follow(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
