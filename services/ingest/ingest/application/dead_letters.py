"""A dead letter of the facts' topic as a rejection, so that one list shows all that is not in anybody's health."""

from collections.abc import Mapping
from datetime import datetime

from ingest.application.cloud_event import FORMAT
from ingest.application.incoming import Received
from ingest.application.parking import rejection_of
from ingest.application.ports import Rejection
from ingest.application.reading import claimed_source
from ingest.domain.decision import Rejected


def rejection_of_letter(value: bytes, headers: Mapping[str, str], now: datetime) -> Rejection:
    """`headers` are those that the reader gave the letter: who refused it, and why."""
    consumer = headers.get("dlq-consumer", "a reader")
    reason = f"{consumer} refused it: {headers.get('dlq-reason', 'no reason is given')}"
    received = Received(format=FORMAT, source=claimed_source(value), body=value, at=now)
    return rejection_of(received, Rejected(headers.get("dlq-code", "dead_letter"), reason), None)
