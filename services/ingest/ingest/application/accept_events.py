"""Taking CloudEvents in: what is in order is on the log before the sender is told so, and what is not is kept with its reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Literal, NoReturn

from csm_common.clock import Clock
from csm_common.errors import ConflictError, InvalidError, TooLargeError, TransientError
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.tracing import current_traceparent
from ingest.application.accepted import Accepted, Raw, Repeat
from ingest.application.cloud_event import FORMAT
from ingest.application.contact_records import keep_contacts
from ingest.application.examine import Examiner
from ingest.application.incoming import Received
from ingest.application.parking import rejection_of
from ingest.application.ports import Publisher, Store
from ingest.application.publishing import publish
from ingest.application.reading import EVENT_TOO_LARGE, claimed_id, claimed_source
from ingest.application.recent import Recent, Seen
from ingest.application.settlement import CONFLICT, conflict
from ingest.application.tallying import Tallying
from ingest.domain.decision import Rejected

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event is durable, now or before."""

    id: str
    status: Literal["accepted", "duplicate"] = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedReceipt:
    """An event is kept aside and not on the log, as the tracking plan of its source has it."""

    id: str | None
    status: Literal["parked"] = "parked"
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOutcome:
    """An event of a batch that is not news on the log: its place in the batch, its id if it has one, and why."""

    index: int
    id: str | None
    status: Literal["duplicate", "parked", "rejected"]
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReceipt:
    """How many events of a batch are durable now, were so before, are kept aside, and were refused; `results` tells each that
    was not simply accepted, in their order."""

    accepted: int
    duplicates: int
    parked: int
    rejected: int
    results: list[EventOutcome]


Judged = Accepted | Repeat | Rejected


class AcceptEvents:
    """The use case behind `POST /v1/events`. `on_commit` wakes the outbox's relay."""

    def __init__(
        self,
        examiner: Examiner,
        store: Store,
        publisher: Publisher,
        recent: Recent,
        tallying: Tallying,
        clock: Clock,
        on_commit: Callable[[], None],
    ) -> None:
        self._examiner = examiner
        self._store = store
        self._publisher = publisher
        self._recent = recent
        self._tallying = tallying
        self._clock = clock
        self._on_commit = on_commit

    async def one(self, event: bytes) -> Receipt | ParkedReceipt:
        """Take one event. InvalidError, TooLargeError or ConflictError where it is refused, TransientError when it is not
        durable."""
        now = self._clock.now()
        examined = self._examiner.examine(event, now, _headers())
        if type(examined) is Accepted and self._is_news(examined):
            await self._publish(examined, now)
            return Receipt(examined.id)
        judged = _unless_repeated(examined, Seen(self._recent))
        await self._settle([event], (), [judged], now)
        if isinstance(judged, Rejected):
            if judged.parked:
                return ParkedReceipt(id=claimed_id(event), code=judged.code, message=judged.message)
            _refuse(judged)
        return Receipt(judged.id, "duplicate" if isinstance(judged, Repeat) else "accepted")

    def _is_news(self, fact: Accepted) -> bool:
        """Whether nothing but publishing is to be done: nearly always, and so worth a way of its own."""
        return fact.contact is None and self._recent.digest_of(fact.source, fact.id) is None

    async def _publish(self, fact: Accepted, now: datetime) -> None:
        await publish(self._publisher, (fact.message,))
        self._recent.remember(fact.source, fact.id, fact.digest)
        self._tallying.one(fact, now)

    async def batch(self, events: Sequence[Raw], contexts: Sequence[Mapping[str, str]] = ()) -> BatchReceipt:
        """Take what is in order of a batch. InvalidError when that is nothing, TransientError when any of it is not durable.

        `contexts`, where there are any, tell of each event what is to be kept with it should it be rejected.
        """
        now, headers = self._clock.now(), _headers()
        examine, seen = self._examiner.examine, Seen(self._recent)
        judged = [_unless_repeated(examine(event, now, headers), seen) for event in events]
        await self._settle(events, contexts, judged, now)
        results = [
            _outcome(index, event, each)
            for index, (event, each) in enumerate(zip(events, judged, strict=True))
            if type(each) is not Accepted
        ]
        counts = {status: sum(each.status == status for each in results) for status in _STATUSES}
        receipt = BatchReceipt(
            accepted=len(judged) - len(results),
            duplicates=counts["duplicate"],
            parked=counts["parked"],
            rejected=counts["rejected"],
            results=results,
        )
        if receipt.rejected == len(judged):
            raise _all_rejected(receipt)
        return receipt

    async def _settle(
        self,
        events: Sequence[Raw],
        contexts: Sequence[Mapping[str, str]],
        judged: Sequence[Judged],
        now: datetime,
    ) -> None:
        """Publish what is accepted, keep what is rejected."""
        accepted = [each for each in judged if type(each) is Accepted]
        if any(each.contact for each in accepted):
            async with self._store.begin() as work:
                await keep_contacts(work, accepted)
            self._on_commit()
        await publish(self._publisher, [each.message for each in judged if not isinstance(each, Rejected)])
        for each in accepted:
            self._recent.remember(each.source, each.id, each.digest)
        if len(accepted) < len(judged):
            await self._keep_rejected(events, contexts, judged, now)
        self._tallying.events(events, judged, now)

    async def _keep_rejected(
        self,
        events: Sequence[Raw],
        contexts: Sequence[Mapping[str, str]],
        judged: Sequence[Judged],
        now: datetime,
    ) -> None:
        """So that they can be looked at, counted and tried again. A sender who is told of each can do without in need."""
        rejected = [
            (_received(event, context, now), each)
            for event, context, each in zip(events, contexts or repeat({}), judged, strict=False)
            if isinstance(each, Rejected)
        ]
        if not rejected:
            return
        rows = [rejection_of(received, each, None) for received, each in rejected]
        try:
            async with self._store.begin() as work:
                await work.rejections.add(rows)
        except TransientError as error:
            if contexts or any(each.parked for _, each in rejected):
                raise
            log.warning("rejections are not kept", rejected=len(rows), reason=error.message)


_DUPLICATE = "This event was taken before; nothing counts twice."
_STATUSES = ("duplicate", "parked", "rejected")


def _unless_repeated(judged: Accepted | Rejected, seen: Seen) -> Judged:
    if type(judged) is not Accepted:
        return judged
    repeats = seen.repeats(judged)
    if not repeats:
        return judged
    return Repeat(judged.id, judged.source, judged.message) if repeats == "same" else conflict(judged.id)


def _received(event: Raw, context: Mapping[str, str], now: datetime) -> Received:
    body = bytes(event)
    return Received(format=FORMAT, source=claimed_source(body), body=body, at=now, context=context)


def _headers() -> dict[str, str]:
    traceparent = current_traceparent()
    return {"traceparent": traceparent} if traceparent else {}


def _refuse(rejected: Rejected) -> NoReturn:
    errors = {EVENT_TOO_LARGE: TooLargeError, CONFLICT: ConflictError}
    raise errors.get(rejected.code, InvalidError)(rejected.message, code=rejected.code)


def _outcome(index: int, event: Raw, judged: Judged) -> EventOutcome:
    if isinstance(judged, Rejected):
        status: Literal["parked", "rejected"] = "parked" if judged.parked else "rejected"
        return EventOutcome(
            index=index, id=claimed_id(event), status=status, code=judged.code, message=judged.message
        )
    return EventOutcome(index=index, id=judged.id, status="duplicate", code="duplicate", message=_DUPLICATE)


def _all_rejected(receipt: BatchReceipt) -> InvalidError:
    first = receipt.results[0]
    return InvalidError(
        f"None of the {receipt.rejected} events was taken; the first: {first.message}",
        code="all_rejected",
        **{
            name: getattr(receipt, name)
            for name in ("accepted", "duplicates", "parked", "rejected", "results")
        },
    )
