"""Accounts as lines of CSV (RFC 4180) that a spreadsheet cannot take for formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from health_score.application.account_fields import Field

USUAL = tuple(
    Field(*each.split(".", 1))
    for each in (
        "account_id", "attributes.name", "attributes.owner", "attributes.team", "attributes.segment", "attributes.plan",
        "attributes.arr", "attributes.renewal_date", "score", "band", "coverage", "computed", "scorecard.name",
        "scorecard.version", "evaluated_at",
    )
)  # fmt: skip
"""The columns, unless others are asked for."""

# Spreadsheets read what begins so as a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def header(columns: Sequence[Field]) -> str:
    """The first line."""
    return lines([[each.title for each in columns]])


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """The rows with their line ends."""
    written = io.StringIO()
    csv.writer(written).writerows([cell(each) for each in row] for row in rows)
    return written.getvalue()


def cell(value: Any) -> str:
    """A value as text: empty for none, JSON for what has parts, and an apostrophe before what would be a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value) else value
    return msgspec.json.encode(value).decode()
