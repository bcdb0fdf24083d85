"""Taking events in: what is in order is on the log before the sender is told so."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

import msgspec

from csm_common.clock import Clock
from csm_common.database.outbox import Message
from csm_common.errors import InvalidError, TooLargeError, TransientError
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.tracing import current_traceparent
from ingest.application.examine import examine
from ingest.application.ports import Publisher
from ingest.application.reading import EVENT_TOO_LARGE, claimed_id
from ingest.domain.decision import Rejected

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event is durable."""

    id: str
    status: Literal["accepted"] = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedEvent:
    """An event of a batch that was not taken: its place in the batch, its id if it has one, and why."""

    index: int
    id: str | None
    status: Literal["rejected"] = "rejected"
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """How many events of a batch are durable, how many were refused, and each refused one with its reason."""

    accepted: int
    rejected: int
    results: list[RejectedEvent]


class AcceptEvents:
    """The one use case: judge, publish, wait for the acknowledgements."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    async def one(self, event: bytes) -> Receipt:
        """Take one event. InvalidError or TooLargeError where it is refused, TransientError when it is not durable."""
        judged = examine(event, self._clock.now(), _headers())
        if isinstance(judged, Rejected):
            _count_rejected([judged.code])
            _refuse(judged)
        await self._publish(judged.messages)
        metrics.events_accepted.inc()
        return Receipt(judged.id)

    async def batch(self, events: Sequence[bytes | msgspec.Raw]) -> BatchReceipt:
        """Take what is in order of a batch. InvalidError when that is nothing, TransientError when any of it is not durable."""
        now, headers = self._clock.now(), _headers()
        messages: list[Message] = []
        rejected: list[RejectedEvent] = []
        for index, event in enumerate(events):
            judged = examine(event, now, headers)
            if isinstance(judged, Rejected):
                rejected.append(_rejected(index, event, judged))
            else:
                messages += judged.messages
        await self._publish(messages)
        receipt = BatchReceipt(len(events) - len(rejected), len(rejected), rejected)
        metrics.events_accepted.inc(receipt.accepted)
        _count_rejected(each.code for each in rejected)
        if not receipt.accepted:
            raise _all_rejected(receipt)
        return receipt

    async def _publish(self, messages: Sequence[Message]) -> None:
        failures = [reason for reason in await self._publisher.send(messages) if reason is not None]
        if failures:
            log.warning("not acknowledged", failed=len(failures), of=len(messages), reason=failures[0])
            raise TransientError(
                "The brokers did not acknowledge in time. Send the same events again, with the same ids: none counts twice.",
                code="brokers_unavailable",
                retry_after=2.0,
            )


def _headers() -> dict[str, str]:
    traceparent = current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}


def _refuse(rejected: Rejected) -> NoReturn:
    error = TooLargeError if rejected.code == EVENT_TOO_LARGE else InvalidError
    raise error(rejected.message, code=rejected.code)


def _rejected(index: int, event: bytes | msgspec.Raw, judged: Rejected) -> RejectedEvent:
    return RejectedEvent(index=index, id=claimed_id(event), code=judged.code, message=judged.message)


def _all_rejected(receipt: BatchReceipt) -> InvalidError:
    first = receipt.results[0]
    return InvalidError(
        f"None of the {receipt.rejected} events was taken; the first: {first.message}",
        code="all_rejected",
        accepted=0,
        rejected=receipt.rejected,
        results=receipt.results,
    )


def _count_rejected(codes: Iterable[str]) -> None:
    for code, count in Counter(codes).items():
        metrics.events_rejected.add(count, {"code": code})
