"""Counting what came and what became of it, by source: one call a request and source."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from csm_common.telemetry import metrics
from ingest.application.accepted import Accepted, Raw, Repeat
from ingest.application.incoming import Received
from ingest.application.reading import claimed_source
from ingest.application.sdk.times import skew_of
from ingest.application.settlement import Read, Settled
from ingest.application.sources import SourceTally
from ingest.domain.decision import Rejected


@dataclass(slots=True)
class _Counts:
    accepted: int = 0
    duplicate: int = 0
    held: int = 0
    rejected: int = 0
    late: int = 0
    skew_s: float | None = None


class Tallying:
    """Puts counts into the tally of sources and into metrics."""

    def __init__(self, tally: SourceTally) -> None:
        self._tally = tally

    def messages(self, messages: Sequence[Read], settled: Sequence[Settled], now: datetime) -> None:
        """Messages of SDKs and webhooks."""
        by_source: dict[str, _Counts] = defaultdict(_Counts)
        for read, each in zip(messages, settled, strict=True):
            counts = by_source[read.received.source]
            status = each.outcome.status
            setattr(counts, status, getattr(counts, status) + 1)
            counts.late += any(fact.late for fact in each.facts)
            if counts.skew_s is None:
                counts.skew_s = _skew(read.received)
            if each.outcome.code:
                metrics.events_rejected.add(1, {"code": each.outcome.code})
        self._note(by_source, now)

    def one(self, fact: Accepted, now: datetime) -> None:
        """A CloudEvent that was accepted."""
        metrics.events_accepted.inc()
        self._tally.note(fact.source, at=now, accepted=1, late=fact.late)

    def events(self, events: Sequence[Raw], judged: Sequence[object], now: datetime) -> None:
        """CloudEvents: accepted, repeated or rejected."""
        by_source: dict[str, _Counts] = defaultdict(_Counts)
        for event, each in zip(events, judged, strict=True):
            if type(each) is Accepted:
                counts = by_source[each.source]
                counts.accepted += 1
                counts.late += each.late
            elif isinstance(each, Rejected):
                by_source[claimed_source(event)].rejected += 1
                metrics.events_rejected.add(1, {"code": each.code})
            elif isinstance(each, Repeat):
                by_source[each.source].duplicate += 1
        self._note(by_source, now)

    def _note(self, by_source: Mapping[str, _Counts], now: datetime) -> None:
        for source, counts in by_source.items():
            metrics.events_accepted.inc(counts.accepted)
            self._tally.note(
                source,
                at=now,
                accepted=counts.accepted,
                duplicates=counts.duplicate,
                rejected=counts.rejected,
                held=counts.held,
                late=counts.late,
                skew_s=counts.skew_s,
            )


def _skew(received: Received) -> float | None:
    """How far the sender's clock is ahead of ours, in seconds, where it told when it sent the message."""
    try:
        message = msgspec.json.decode(received.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    skew = skew_of(message, received.context, received.at)
    return skew.total_seconds() if skew else None
