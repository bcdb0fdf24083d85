"""Opens the bodies that SDKs send: the key inside, if there is one, and the messages one by one, their bytes as they came."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from csm_common.errors import InvalidError, TooLargeError
from ingest.application.loose_json import read_loosely, written
from ingest.application.reading import MAX_BATCH_EVENTS
from ingest.application.sdk.segment import KIND, SHARED_CONTEXT
from ingest.application.sdk.times import SENT_AT


class Envelope(NamedTuple):
    """`context` is what the body says of all its messages. `token` is None where the body holds no key."""

    token: str | None
    messages: Sequence[bytes]
    context: Mapping[str, str]


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    context: msgspec.Raw = msgspec.Raw(b"")
    writeKey: Any = None  # noqa: N815 - the name on the wire
    api_key: Any = None
    token: Any = None
    sentAt: Any = None  # noqa: N815 - the name on the wire
    sent_at: Any = None


class _Event(msgspec.Struct):
    api_key: Any = None
    token: Any = None
    writeKey: Any = None  # noqa: N815 - the name on the wire
    properties: Any = None


ShapeT = TypeVar("ShapeT")

_batch = msgspec.json.Decoder(_Batch)
_event = msgspec.json.Decoder(_Event)
_events = msgspec.json.Decoder(list[msgspec.Raw])


def open_batch(body: bytes) -> Envelope:
    """Segment's `{"batch": […], "sentAt": …}`. InvalidError and TooLargeError refuse it as a whole."""
    batch = _read_batch(body)
    if batch.batch is None:
        raise InvalidError('The body has no "batch", an array of messages.', code="missing_batch")
    context = {SENT_AT: batch.sentAt or batch.sent_at, SHARED_CONTEXT: _object(batch.context)}
    token = _first_text(batch.writeKey, batch.api_key, batch.token)
    return Envelope(token, _checked(batch.batch), _texts(context))


def open_call(body: bytes, kind: str) -> Envelope:
    """A single call on the route of its kind."""
    return Envelope(_token(_read(_event, body)), [body], {KIND: kind})


def open_posthog(body: bytes) -> Envelope:
    """PostHog's batch, a single event, or a list of events."""
    if body.lstrip()[:1] == b"[":
        raw = _read(_events, body)
        events = _checked(raw)
        return Envelope(_token_of_first(events), events, {})
    if _read_batch(body).batch is not None:
        return open_batch(body)
    return Envelope(_token(_read(_event, body)), [body], {})


def _read(decoder: msgspec.json.Decoder[ShapeT], body: bytes) -> ShapeT:
    try:
        body.decode()  # what is not looked into would otherwise stay unchecked
        return decoder.decode(body)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InvalidError(
            f"The body is not the JSON that is expected here: {error}.", code="invalid_json"
        ) from error
    except RecursionError as error:
        raise InvalidError("The body is nested too deep to be read.", code="too_deep") from error


def _read_batch(body: bytes) -> _Batch:
    try:
        return _read(_batch, body)
    except InvalidError:
        if batch := _read_loosely(body):
            return batch
        raise


def _read_loosely(body: bytes) -> _Batch | None:
    """A batch around a message that no JSON reader accepts; None where it is none."""
    told = read_loosely(body)
    if not isinstance(told, dict) or not isinstance(told.get("batch"), list):
        return None
    known = {name: told.get(name) for name in ("writeKey", "api_key", "token", "sentAt", "sent_at")}
    messages = [msgspec.Raw(written(each)) for each in told["batch"]]
    return _Batch(batch=messages, context=msgspec.Raw(json.dumps(told.get("context")).encode()), **known)


def _checked(messages: Sequence[msgspec.Raw]) -> Sequence[bytes]:
    if not messages:
        raise InvalidError("The batch is empty.", code="empty_batch")
    if len(messages) > MAX_BATCH_EVENTS:
        raise TooLargeError(
            f"The batch has {len(messages)} messages, of which {MAX_BATCH_EVENTS} are allowed. Send several batches.",
            code="batch_too_large",
        )
    return [bytes(each) for each in messages]


def _token(event: _Event) -> str | None:
    inside = event.properties if isinstance(event.properties, dict) else {}
    return _first_text(event.writeKey, event.api_key, event.token, inside.get("token"))


def _token_of_first(events: Sequence[bytes]) -> str | None:
    try:
        return _token(_event.decode(events[0]))
    except (msgspec.DecodeError, RecursionError):
        return None


def _object(raw: msgspec.Raw) -> str | None:
    text = bytes(raw).decode()
    return text if text.startswith("{") else None


def _first_text(*values: object) -> str | None:
    return next((each for each in values if isinstance(each, str) and each), None)


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str) and value}
