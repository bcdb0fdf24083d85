"""The CloudEvents attributes of an event: which must be there, and what they may look like."""

from collections.abc import Mapping
from typing import Any

from ingest.domain.decision import Rejected, json_kind

LONGEST = {"id": 200, "source": 500, "type": 200, "subject": 200}
"""The text attributes every event must have, and how many characters each may have."""

_MEANINGS = {
    "id": "It tells this event from all others of its source, and stays the same when it is sent again.",
    "source": "It names the system that tells, such as urn:acme:billing.",
    "type": "It says what happened, such as csm.usage.recorded.",
    "subject": "It is the id of the account the event is about.",
}


def attribute_problem(event: Mapping[str, Any]) -> Rejected | None:
    """The first rule that an attribute breaks; time and data have rules of their own."""
    if event.get("specversion") != "1.0":
        return Rejected("unsupported_specversion", 'specversion must be "1.0": this is the CloudEvents door.')
    for name, longest in LONGEST.items():
        value = event.get(name)
        if type(value) is str and 0 < len(value) <= longest and value.isprintable() and not value.isspace():
            continue  # nearly all; what is left may still be in order, such as a name with a soft hyphen
        if problem := _text_problem(value, longest):
            return Rejected(f"invalid_{name}", f"{name} {problem}. {_MEANINGS[name]}")
    return _extension_problem(event)


def _text_problem(value: object, longest: int) -> str | None:
    if value is None:
        return "is missing"
    if not isinstance(value, str):
        return f"must be a string, not {json_kind(value)}"
    if not value.strip():
        return "must not be empty"
    if len(value) > longest:
        return f"has {len(value)} characters, of which {longest} are allowed"
    control = next((each for each in value if each < " " or "\x7f" <= each <= "\x9f"), None)
    return f"must not contain control characters (here U+{ord(control):04X})" if control else None


def _extension_problem(event: Mapping[str, Any]) -> Rejected | None:
    if type(event.get("backfill", False)) is not bool:
        return Rejected("invalid_backfill", "backfill must be true or false; leave it out for a live event.")
    if "data_base64" in event:
        return Rejected("invalid_data", "data_base64 is not taken: put a JSON object into data.")
    return None
