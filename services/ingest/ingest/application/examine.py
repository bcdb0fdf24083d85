"""One event, from its bytes to the fact it becomes, or the reason why it is refused."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from csm_common.contracts.facts import FACTS
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from ingest.application.accepted import Accepted
from ingest.application.contacts import CONTACT_CHANGED, contact_of
from ingest.application.plain import read_plain
from ingest.application.plans import Plans
from ingest.application.reading import holds_nul, read_event
from ingest.application.shapes import data_problem, read_time
from ingest.application.sources import SourceTally
from ingest.domain.attributes import attribute_problem
from ingest.domain.decision import Rejected
from ingest.domain.event_types import type_problem
from ingest.domain.timing import time_problem

_encode = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="deterministic").encode
_TOPIC = CUSTOMER_EVENTS.name
_LATE = "late"  # ours to say; a sender's own, or that of an event tried again, would be there twice

Event = dict[str, Any]
"""A CloudEvent as a JSON object."""


class Privacy(Protocol):
    """The rules for personal data."""

    def apply(self, type: str, data: dict[str, Any]) -> dict[str, Any]:
        """The data as it may go on the log; the very same object where nothing has to be changed."""
        ...

    def unwanted(self, type: str) -> Collection[str]:
        """Fields at the top of such data that nobody is to hold anywhere."""
        ...


class Examiner:
    """Judges events. `late_after` is how old an event may be before it is marked as late."""

    def __init__(self, plans: Plans, privacy: Privacy, tally: SourceTally, late_after: timedelta) -> None:
        self._plans = plans
        self._privacy = privacy
        self._unwanted = privacy.unwanted(CONTACT_CHANGED)
        self._tally = tally
        self._late_after = late_after

    def examine(
        self, raw: bytes | msgspec.Raw, now: datetime, headers: Mapping[str, str]
    ) -> Accepted | Rejected:
        """Judge an event received `now`. Its bytes go on untouched unless something has to be added or taken out."""
        text = bytes(raw)
        return self._at_a_glance(text, now, headers) or self._closely(text, now, headers)

    def _at_a_glance(self, text: bytes, now: datetime, headers: Mapping[str, str]) -> Accepted | None:
        """The fact of an event that is plain and in order; None where that takes a close look."""
        event = read_plain(text)
        if event is None:
            return None
        shape = FACTS.get(event.type)
        told: dict[str, Any] = event.data
        if shape is None or event.type == CONTACT_CHANGED or data_problem(event.type, told):
            return None
        if time_problem(event.time, now) or self._privacy.apply(event.type, told) is not told:
            return None
        if self._plans.check(event.source, event.type, told):
            return None
        late = now - event.time > self._late_after
        digest = hash(_sorted((event.type, event.subject, told)))
        message = Message(_TOPIC, event.subject.encode(), _marked_late(text) if late else text, headers)
        return Accepted(event.id, event.source, digest, message, None, late)

    def _closely(self, text: bytes, now: datetime, headers: Mapping[str, str]) -> Accepted | Rejected:
        sent = read_event(text)
        if isinstance(sent, Rejected):
            return sent
        event = _completed(sent, now)
        time = _checked(event, now)
        if isinstance(time, Rejected):
            return time
        if problem := self.plan_problem(event["source"], event["type"], event["data"], now):
            return problem
        return self._accepted(event, text if event is sent else None, time, now, headers)

    def judge(self, event: Event, now: datetime, headers: Mapping[str, str]) -> Accepted | Rejected:
        """Judge an event that one of our readers has made; tracking plans speak of what the reader read, and not of it."""
        time = _checked(event, now)
        if isinstance(time, Rejected):
            return time
        return self._accepted(event, None, time, now, headers)

    def plan_problem(
        self, source: str, name: str, properties: Mapping[str, Any], now: datetime
    ) -> Rejected | None:
        """What the tracking plan of the source has against an event; every violation is counted, taken or not."""
        checked = self._plans.check(source, name, properties)
        if checked is None:
            return None
        for path, rule, sentence in checked.breaches:
            self._tally.violated(source, name, path, rule, example=sentence, at=now)
        return checked.refusal(name)

    def _accepted(
        self, event: Event, value: bytes | None, time: datetime, now: datetime, headers: Mapping[str, str]
    ) -> Accepted | Rejected:
        """`value` is the event's bytes, where it is as it was sent."""
        told = event["data"]
        digest = hash(_sorted((event["type"], event["subject"], told)))
        contact = contact_of(event, self._unwanted) if event["type"] == CONTACT_CHANGED else None
        if isinstance(contact, Rejected):
            return contact
        data = self._privacy.apply(event["type"], told)
        late = now - time > self._late_after and not event.get("backfill")
        if data is not told or value is None or _LATE in event:
            value = _encode({name: each for name, each in event.items() if name != _LATE} | {"data": data})
        if late:
            value = _marked_late(value)
        if holds_nul(value):
            return Rejected(
                "invalid_data", "A text holds the character U+0000, which nothing can keep. Take it out."
            )
        message = Message(_TOPIC, event["subject"].encode(), value, headers)
        return Accepted(event["id"], event["source"], digest, message, contact, late)


def _marked_late(value: bytes) -> bytes:
    """The event with one attribute more, and every other byte as it was."""
    return value.rstrip()[:-1] + b',"late":true}'


def _completed(event: Event, now: datetime) -> Event:
    """The event with time and data, which its readers count on; the very same one where both are there."""
    if event.get("time") is not None and event.get("data") is not None:
        return event
    needed: Event = {"time": now, "data": {}}
    return event | {name: value for name, value in needed.items() if event.get(name) is None}


def _checked(event: Event, now: datetime) -> datetime | Rejected:
    """The time of the event, or the first rule that the event breaks."""
    if problem := attribute_problem(event) or type_problem(event["type"], FACTS):
        return problem
    time = read_time(event["time"])
    if isinstance(time, Rejected):
        return time
    return time_problem(time, now) or data_problem(event["type"], event["data"]) or time
