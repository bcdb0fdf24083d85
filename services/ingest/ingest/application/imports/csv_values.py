"""From the named cells of a CSV row to a CloudEvent: attributes as they are, data fields typed as the fact's contract says."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

import msgspec

from csm_common.contracts.facts import FACTS
from csm_common.mapping.contract import field_kind
from csm_common.mapping.conversions import Times, conversion
from csm_common.mapping.rejection import shown
from ingest.domain.decision import Rejected

ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "backfill")
DATA = "data."

_AS_TEXT = ("text", "moment", "time", "date")  # the contract itself looks at dates


class _CellError(ValueError):
    pass


def event_of(row: Mapping[str, str], default_type: str | None) -> dict[str, Any] | Rejected:
    """The event that the cells tell of; empty ones tell nothing. `data.a.b` is the member b of the data field a."""
    told = {name: text for name, text in row.items() if text}
    event: dict[str, Any] = {name: told[name] for name in ATTRIBUTES if name in told}
    known_type = event.get("type", default_type)
    try:
        if "backfill" in event:
            event["backfill"] = _typed("backfill", event["backfill"], "bool")
        event["data"] = _data(told, known_type if known_type in FACTS else None)
    except _CellError as error:
        code, sentence = error.args
        return Rejected(code, sentence)
    return event


def _data(told: Mapping[str, str], fact: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, text in told.items():
        if not name.startswith(DATA):
            continue
        outer, _, inner = name[len(DATA) :].partition(".")
        if inner:
            data.setdefault(outer, {})[inner] = text
        else:
            data[outer] = _typed(name, text, _kind(fact, outer))
    return data


@lru_cache(maxsize=4096)
def _kind(fact: str | None, field: str) -> str:
    if fact is None:
        return "text"
    kind = field_kind(fact, field)
    if kind != "keep":
        return kind
    # What the contract knows and is no plain value is an object or an array.
    return "json" if field in {each.name for each in fields(FACTS[fact])} else "text"


def _typed(name: str, text: str, kind: str) -> Any:
    if kind in _AS_TEXT:
        return text
    convert, code, expected = _conversion(kind)
    try:
        return convert(text)
    except (TypeError, ValueError, OverflowError):
        raise _CellError(code, f"{name} is {shown(text)}, expected {expected}.") from None


@lru_cache
def _conversion(kind: str) -> tuple[Callable[[Any], Any], str, str]:
    if kind == "json":
        return msgspec.json.decode, "not_json", 'JSON, such as {"industry": "retail"} or ["kim"]'
    found = conversion(kind, Times(), None)
    return found.convert, found.code, found.expected
