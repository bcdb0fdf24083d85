"""Whether an event's time and data have the shape that its type promises; the same decoder reads them behind us."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from csm_common.contracts.facts import FACTS
from ingest.domain.decision import Rejected, json_kind

ShapeT = TypeVar("ShapeT")


def read_time(told: object) -> datetime | Rejected:
    """The instant that the attribute tells."""
    try:
        return msgspec.convert(told, datetime)
    except msgspec.ValidationError:
        return Rejected("invalid_time", "time must be as RFC 3339 writes it, such as 2026-03-02T09:00:00Z.")


def data_problem(event_type: str, data: object) -> Rejected | None:
    """Refuses data that is no object and, for the facts, data that breaks the contract; unknown fields are welcome."""
    if type(data) is not dict:
        return Rejected("invalid_data", f"data must be a JSON object, not {json_kind(data)}.")
    shape = FACTS.get(event_type)
    if shape is None:
        return None
    fitted = fit(data, shape, event_type)
    return fitted if isinstance(fitted, Rejected) else None


def fit(data: dict[str, Any], shape: type[ShapeT], event_type: str) -> ShapeT | Rejected:
    """The data as an object of a contract's class; nothing is converted, a string is no number."""
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        wrong = str(error).replace("`$", "`data")
        return Rejected(
            "invalid_data",
            f"data is not that of {event_type}: {wrong}. /openapi.json tells what it may hold.",
        )
