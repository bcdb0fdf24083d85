"""The facts of the demo, and how they become CloudEvents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from csm_common.ids import derived_id

SOURCE = "/demo"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class DemoFact:
    """One fact. `name` tells it from all others of its account, so that its id is the same each time it is told."""

    account: str
    type: str
    name: str
    time: datetime
    data: Mapping[str, Any]


def cloud_event(fact: DemoFact, day: str, *, backfill: bool) -> bytes:
    """The bytes of the event. `day` is the day the demo is loaded: loading it again on that day tells the same facts."""
    event = {
        "specversion": "1.0",
        "id": derived_id("demo", day, fact.account, fact.type, fact.name),
        "source": SOURCE,
        "type": fact.type,
        "subject": fact.account,
        "time": fact.time,
        "datacontenttype": "application/json",
        "data": fact.data,
    }
    return _encode(event | {"backfill": True} if backfill else event)
