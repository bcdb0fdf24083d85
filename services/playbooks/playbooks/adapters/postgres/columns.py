"""Flat dataclasses as rows: a column a field, and many rows in one statement by one array parameter a column."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import repeat
from operator import attrgetter
from typing import Any

_TYPES = (
    dict.fromkeys(("version", "position", "failures", "asked", "priority"), "int")
    | dict.fromkeys(("fence", "revision"), "bigint")
    | dict.fromkeys(("snoozed_score", "revenue"), "float8")
    | dict.fromkeys(
        (
            "started_at", "wake_at", "due_at", "ended_at", "at", "until", "decided_at", "created_at", "updated_at",
            "held_since", "lease_until", "crossed_at", "entered_at", "window_ends_at", "goal_reached_at", "recovered_at",
            "snoozed_until", "done_at", "asked_at", "expires_at", "answered_at",
        ),
        "timestamptz",
    )
)  # fmt: skip


def names_of(kind: type[Any]) -> list[str]:
    """The columns of a dataclass."""
    return [each.name for each in fields(kind)]


def unnested(names: Sequence[str]) -> str:
    """`unnest(…) AS t(…)` over one array parameter a column, named as the column."""
    arrays = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'text')}[])" for name in names)
    return f"unnest({arrays}) AS t({', '.join(names)})"


def insert(table: str, kind: type[Any]) -> str:
    """Inserts any number of rows of a dataclass."""
    names = names_of(kind)
    columns = ", ".join(names)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {unnested(names)}"  # noqa: S608  (our own names)


def parameters(rows: Sequence[object], names: Sequence[str]) -> dict[str, list[object]]:
    """The array parameters for `names`, of which there are at least two."""
    columns = zip(*map(attrgetter(*names), rows), strict=True) if rows else repeat((), len(names))
    return {name: list(column) for name, column in zip(names, columns, strict=True)}
