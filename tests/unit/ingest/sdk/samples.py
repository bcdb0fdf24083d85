"""Messages of SDKs for these tests, and shorthands to have them read."""

import json
from datetime import UTC, datetime
from typing import Any

import yaml

from ingest.application.incoming import Draft, Incoming, Reader, Received
from ingest.application.sdk.posthog import PosthogReader
from ingest.application.sdk.rules import Rules, SdkConfig
from ingest.application.sdk.segment import SegmentReader
from ingest.domain.decision import Rejected

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def rules(text: str = "{}") -> Rules:
    """The rules of an `sdk` section."""
    return Rules(SdkConfig.model_validate(yaml.safe_load(text)))


SEGMENT: Reader = SegmentReader(rules())
POSTHOG: Reader = PosthogReader(rules())


def call(type: str | None = "track", **members: Any) -> dict[str, Any]:
    """A call as Segment's SDKs send it; a member that is given as ... is left out."""
    whole = {
        "type": type,
        "messageId": "m-1",
        "userId": "u-1",
        "anonymousId": None,
        "event": "Report Exported" if type == "track" else None,
        "timestamp": "2026-03-02T08:59:00.000Z",
        "context": {},
        "integrations": {},
    } | members
    return {name: value for name, value in whole.items() if value is not ...}


def capture(event: str, properties: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """An event as PostHog's SDKs send it."""
    whole = {
        "event": event,
        "uuid": "m-1",
        "distinct_id": "u-1",
        "timestamp": "2026-03-02T08:59:00+00:00",
        "properties": {"$lib": "posthog-python"} | (properties or {}),
    }
    return whole | members


def received(message: object, *, format: str = "segment", **context: str) -> Received:
    """The message on its own, as the routes hand it on."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Received(format=format, source="sdk/app", body=body, at=AT, context=context)


def understood(message: object, reader: Reader = SEGMENT, **context: str) -> Incoming:
    """What the reader makes of a message that is in order."""
    found = reader(received(message, **context))
    assert isinstance(found, Incoming), found
    return found


def refused(message: object, reader: Reader = SEGMENT, **context: str) -> Rejected:
    """Why the reader does not take the message."""
    found = reader(received(message, **context))
    assert isinstance(found, Rejected), found
    assert found.message.endswith((".", "?"))
    return found


def fact(message: object, reader: Reader = SEGMENT) -> Draft:
    """The one fact that a message becomes."""
    (draft,) = understood(message, reader).drafts
    return draft
