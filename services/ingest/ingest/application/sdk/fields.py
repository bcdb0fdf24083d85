"""Fields that every SDK message may have: names, objects and times, each checked where it is read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from csm_common.mapping.conversions import to_text
from csm_common.mapping.rejection import RejectedRowError, shown
from ingest.domain.decision import json_kind

Message = Mapping[str, Any]

LONGEST_NAME = 200


def name_in(message: Message, field: str) -> str | None:
    """An id or a name as text, None where it is missing; numbers count as texts, since ids are written in both ways."""
    return checked_name(message.get(field), field)


def checked_name(value: object, field: str) -> str | None:
    """The same for a value that was found already."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RejectedRowError("not_a_text", f"{field} is {json_kind(value)}, expected a text", column=field)
    text = to_text(value)
    if len(text) > LONGEST_NAME:
        sentence = f"{field} has {len(text)} characters, of which {LONGEST_NAME} are allowed"
        raise RejectedRowError("too_long", sentence, column=field)
    if text.isspace() or not (text.isprintable() or _is_readable(text)):
        raise RejectedRowError(
            "not_a_text", f"{field} is {shown(text)}, expected readable text", column=field
        )
    return text


def _is_readable(text: str) -> bool:
    """Whether it is free of control characters; other unprintable ones, such as a soft hyphen, do no harm."""
    return not any(each < " " or "\x7f" <= each <= "\x9f" for each in text)


def object_in(message: Message, field: str) -> dict[str, Any]:
    """A JSON object, empty where it is missing."""
    value = message.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        sentence = f"{field} is {json_kind(value)}, expected an object"
        raise RejectedRowError("not_an_object", sentence, column=field)
    return value


def instant(value: object) -> datetime | None:
    """The instant that a text as of ISO 8601 tells, in UTC where it has no zone; None where it tells none."""
    if not isinstance(value, str):
        return None
    try:
        told = datetime.fromisoformat(value)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
