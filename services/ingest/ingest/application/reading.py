"""From the bytes of a body to events: JSON that every reader behind us understands in the same way, or a clear refusal."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from csm_common.errors import InvalidError, TooLargeError
from ingest.application.loose_json import read_loosely, written
from ingest.domain.decision import Rejected, json_kind

MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_EVENTS = 2_500
MAX_DEPTH = 32

EVENT_TOO_LARGE = "event_too_large"
UNKNOWN_SOURCE = "unknown"
"""Stands for the source of an event that does not tell it."""

_LONGEST_SOURCE = 500

_HOW_TO_SEND = "Send one CloudEvent as a JSON object, or several as a JSON array."
_WHITESPACE = b" \t\r\n"
_decode = msgspec.json.Decoder().decode
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


def is_batch(body: bytes) -> bool:
    """Whether the body is an array of events and not one event; InvalidError where it is neither."""
    first = body.lstrip(_WHITESPACE)[:1]
    if first not in (b"{", b"["):
        raise InvalidError(f"The body is not JSON, or no event. {_HOW_TO_SEND}", code="invalid_json")
    return first == b"["


def split_batch(body: bytes) -> Sequence[msgspec.Raw]:
    """The events of a batch, each as the bytes it came in. InvalidError and TooLargeError refuse it as a whole."""
    try:
        body.decode()  # what is not looked into below would otherwise stay unchecked
        events = _split(body)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        told = read_loosely(body)
        if not isinstance(told, list):
            raise InvalidError(f"The body is not JSON: {error}.", code="invalid_json") from error
        events = [msgspec.Raw(written(each)) for each in told]
    except RecursionError as error:
        raise InvalidError(_too_deep().message, code="too_deep") from error
    if not events:
        raise InvalidError(f"The batch is empty. {_HOW_TO_SEND}", code="empty_batch")
    if len(events) > MAX_BATCH_EVENTS:
        raise TooLargeError(
            f"The batch has {len(events)} events, of which {MAX_BATCH_EVENTS} are allowed. Send several batches.",
            code="batch_too_large",
        )
    return events


def read_event(raw: bytes | msgspec.Raw) -> dict[str, Any] | Rejected:
    """The JSON object of one event."""
    text = bytes(raw)
    if len(text) > MAX_EVENT_BYTES:
        return Rejected(
            EVENT_TOO_LARGE,
            f"The event has {len(text)} bytes, of which {MAX_EVENT_BYTES} are allowed. Send less in data.",
        )
    try:
        event = _decode(text)
        if type(event) is not dict:
            return Rejected("invalid_event", f"An event must be a JSON object, not {json_kind(event)}.")
        names = _count_names(event)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        return Rejected("invalid_json", f"The event is not JSON: {error}.")
    except RecursionError:
        return _too_deep()
    # A text has at least as many `":` as names. More: one is inside a string, or a name is there twice.
    if text.translate(None, _WHITESPACE).count(b'":') > names and (twice := _given_twice(text)):
        return Rejected("duplicate_name", f"{twice[0]!r} is there twice in one object. Give every name once.")
    return event


def holds_nul(text: bytes) -> bool:
    """Whether a text in this JSON holds the character that PostgreSQL has no place for."""
    return b"\\u0000" in text and b"\\u0000" in text.replace(b"\\\\", b"")


def claimed_id(raw: bytes | msgspec.Raw) -> str | None:
    """The id that an event gives itself, where it can be made out at all; for the list of what was rejected."""
    return _claimed(raw, "id")


def claimed_source(raw: bytes | msgspec.Raw) -> str:
    """The source that an event names, where it can be made out and stored; for the list of what was rejected."""
    found = _claimed(raw, "source")
    return found[:_LONGEST_SOURCE] if found and found.isprintable() else UNKNOWN_SOURCE


def _claimed(raw: bytes | msgspec.Raw, name: str) -> str | None:
    try:
        found = _decode(raw)[name]
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _count_names(value: Any, levels: int = MAX_DEPTH) -> int:
    """How many names there are in an object or array; RecursionError where it is nested deeper than `levels`."""
    if not levels:
        raise RecursionError
    names, inside = (len(value), value.values()) if type(value) is dict else (0, value)
    for each in inside:
        if type(each) is dict or type(each) is list:
            names += _count_names(each, levels - 1)
    return names


def _given_twice(text: bytes) -> list[str]:
    twice: list[str] = []

    def look(members: list[tuple[str, Any]]) -> None:
        counts = Counter(name for name, _ in members)
        twice.extend(name for name, count in counts.items() if count > 1)

    json.loads(text, object_pairs_hook=look, parse_int=str)
    return twice


def _too_deep() -> Rejected:
    return Rejected("too_deep", f"The event is nested deeper than {MAX_DEPTH} levels. Flatten its data.")
