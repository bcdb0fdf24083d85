"""CloudEvents 1.0 in structured JSON mode: the one envelope on every topic.

A msgspec Struct where the payloads are dataclasses, because it is decoded once per event on the hottest path (1.1 µs against
2.1 µs). Extension attributes that we give a meaning: `backfill` (history that folds without announcing crossings).
"""

from datetime import datetime
from typing import Any

import msgspec

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One CloudEvent as our consumers read it. `subject` is the account id."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    backfill: bool = False


class RawEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """The same envelope with its data left as bytes, for typed decoding or hashing."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: msgspec.Raw
    backfill: bool = False


_encoder = msgspec.json.Encoder()


def encode(*, id: str, source: str, type: str, subject: str, time: datetime, data: object) -> bytes:
    """The bytes of one event; `data` is a contract dataclass or a mapping. Members that are None are left out of neither:
    readers treat null and absent alike."""
    return _encoder.encode(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": type,
            "subject": subject,
            "time": time,
            "datacontenttype": "application/json",
            "data": data,
        }
    )
