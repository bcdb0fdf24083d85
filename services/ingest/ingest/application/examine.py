"""One event, from its bytes to the records it becomes, or the reason why it is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from csm_common.contracts.facts import FACTS
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from ingest.application.accepted import Accepted
from ingest.application.contacts import CONTACT_CHANGED, split_contact
from ingest.application.reading import read_event
from ingest.application.shapes import data_problem, read_time
from ingest.domain.attributes import attribute_problem
from ingest.domain.decision import Rejected
from ingest.domain.event_types import type_problem
from ingest.domain.timing import time_problem

_encode = msgspec.json.Encoder().encode


def examine(raw: bytes | msgspec.Raw, now: datetime, headers: Mapping[str, str]) -> Accepted | Rejected:
    """Judge an event received `now`. Its bytes go on untouched unless something has to be added or taken out."""
    sent = read_event(raw)
    if isinstance(sent, Rejected):
        return sent
    event = _completed(sent, now)
    if problem := _problem(event, now):
        return problem
    value = bytes(raw) if event is sent else _encode(event)
    if event["type"] == CONTACT_CHANGED:
        return split_contact(event, value, headers)
    return Accepted(event["id"], (Message(CUSTOMER_EVENTS.name, event["subject"].encode(), value, headers),))


def _completed(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The event with time and data, which its readers count on; the very same one where both are there."""
    if event.get("time") is not None and event.get("data") is not None:
        return event
    needed: dict[str, Any] = {"time": now, "data": {}}
    return event | {name: value for name, value in needed.items() if event.get(name) is None}


def _problem(event: dict[str, Any], now: datetime) -> Rejected | None:
    if problem := attribute_problem(event) or type_problem(event["type"], FACTS):
        return problem
    time = read_time(event["time"])
    if isinstance(time, Rejected):
        return time
    return time_problem(time, now) or data_problem(event["type"], event["data"])
