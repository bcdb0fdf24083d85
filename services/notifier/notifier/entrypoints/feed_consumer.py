"""The topics of health-score in: what is known of the accounts, and deliveries for those who subscribed to changes."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.facts import ACCOUNT_ERASED
from csm_common.contracts.health import ACCOUNT_SCORED, THRESHOLD_CROSSED, Crossing
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS, Topic
from csm_common.kafka.record import DeadLetter, Outcome, Record, WithoutTimers
from notifier.application.feed import News, ReceivedCrossing, take_in
from notifier.application.feed_ports import Feed, ReceivedSnapshot
from notifier.entrypoints.decoding import envelope_of

_snapshot = msgspec.json.Decoder(ReceivedSnapshot)
_crossing = msgspec.json.Decoder(Crossing)


class FeedConsumer(WithoutTimers):
    """A BatchHandler over what health-score tells. It remembers nothing between batches, so it has nothing to forget."""

    name = "notifier-health"
    topics: tuple[Topic, ...] = (HEALTH_ACCOUNTS, HEALTH_CROSSINGS)

    def __init__(
        self, feed_in: Callable[[AsyncConnection], Feed], clock: Clock, on_news: Callable[[], None]
    ) -> None:
        """`feed_in` is the feed of a transaction; `on_news` is called once deliveries are committed."""
        self._feed_in = feed_in
        self._clock = clock
        self._on_news = on_news

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Take a batch in; what cannot be read becomes a dead letter."""
        batch = _Batch(records)
        told = await take_in(self._feed_in(tx), batch.news, self._clock.now())
        return Outcome(batch.letters, self._on_news if told else lambda: None)


class _Batch:
    """Records by what they tell."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.news = News()
        self.letters: list[DeadLetter] = []
        for record in records:
            try:
                self._sort_in(record)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                self.letters.append(DeadLetter(record, "undecodable", str(error)))

    def _sort_in(self, record: Record) -> None:
        if record.value is None:
            self._tombstone(record)
            return
        event = envelope_of(record.value)
        told = (record.topic, event.type)
        if told == (HEALTH_ACCOUNTS.name, ACCOUNT_SCORED):
            self._snapshot(event, record)
        elif told == (HEALTH_CROSSINGS.name, THRESHOLD_CROSSED):
            crossing = ReceivedCrossing(
                id=event.id, crossing=_crossing.decode(event.data), traceparent=record.traceparent
            )
            self.news.crossings.append(crossing)
        elif told == (HEALTH_CROSSINGS.name, ACCOUNT_ERASED):
            self._gone(event.subject)
        else:
            # Not poison: a newer health-score may tell more than this build can read.
            reason = f"the type {event.type} is not known on this topic"
            self.letters.append(DeadLetter(record, "unknown_type", reason, poison=False))

    def _snapshot(self, event: RawEnvelope, record: Record) -> None:
        data = bytes(event.data)
        snapshot = msgspec.structs.replace(_snapshot.decode(data), data=data)
        self.news.snapshots.append((snapshot, record.traceparent))

    def _tombstone(self, record: Record) -> None:
        if record.topic == HEALTH_ACCOUNTS.name and record.key is not None:
            self._gone(record.key.decode())
        else:
            self.letters.append(DeadLetter(record, "undecodable", "a record without a value"))

    def _gone(self, account_id: str) -> None:
        """What was told of it in this batch before is void; what comes after counts."""
        news = self.news
        news.gone.add(account_id)
        news.snapshots[:] = [each for each in news.snapshots if each[0].account_id != account_id]
        news.crossings[:] = [each for each in news.crossings if each.crossing.account_id != account_id]
