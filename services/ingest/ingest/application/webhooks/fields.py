"""Looking into JSON of any shape: what is not there, or not of the kind that is meant, is None."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from ingest.application.incoming import Received
from ingest.domain.decision import Rejected, json_kind

_decode = msgspec.json.Decoder().decode


def decoded(received: Received) -> dict[str, Any] | Rejected:
    """The message's JSON object."""
    try:
        payload = _decode(received.body)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        return Rejected("invalid_json", f"The payload is not JSON: {error}.")
    except RecursionError:
        return Rejected("too_deep", "The payload is nested too deep to be read.")
    if not isinstance(payload, dict):
        return Rejected("invalid_payload", f"The payload must be a JSON object, not {json_kind(payload)}.")
    return payload


def body_id(received: Received) -> str:
    """An id for a message that has none: the same when the same bytes are sent again."""
    return sha256(received.body).hexdigest()[:32]


def look(value: Any, *path: str) -> Any:
    """The member of a member: `look(event, "data", "object")`."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def objects(value: Any, *path: str) -> list[dict[str, Any]]:
    """The objects in a list; none where there is no list."""
    found = look(value, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: Any) -> str | None:
    """A text that is not empty; whole numbers count as texts, since ids are written in both ways."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else None
    return value if isinstance(value, str) and value.strip() else None


def number(value: Any) -> float | None:
    """A number that is no boolean, and small enough to be one of money or people."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def instant(value: Any) -> datetime | None:
    """Seconds since 1970, or a time with its zone as RFC 3339 writes it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        told: datetime = msgspec.convert(value, datetime, strict=False)
        return told.astimezone(UTC) if told.tzinfo else None
    except (msgspec.ValidationError, OverflowError):
        return None


def moment(value: Any) -> str | None:
    """An instant as the contracts write it."""
    told = instant(value)
    return told.isoformat().replace("+00:00", "Z") if told else None


def known(members: dict[str, Any]) -> dict[str, Any]:
    """The members that are told."""
    return {name: value for name, value in members.items() if value is not None}
