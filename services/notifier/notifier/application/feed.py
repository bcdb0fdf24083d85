"""Take news of the accounts' health in: what is known of them, and a delivery for every subscription that wants to be told.

All in the transaction that moves the reader's position, so each change is told once; ids are derived, so that a repeat has
the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from csm_common.contracts.health import AccountSnapshot, Crossing
from csm_common.ids import derived_id
from notifier.application import feed_messages as messages
from notifier.application.feed_ports import (
    EventType,
    Feed,
    Known,
    NewDelivery,
    ReceivedSnapshot,
    Subscriber,
    TellKey,
)
from notifier.domain.subscriptions import Crossed, Standing, about, moved_enough, wants_band, wants_crossing

_snapshot = msgspec.json.Decoder(AccountSnapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCrossing:
    """A crossing as it came in; its id is the event's."""

    id: str
    crossing: Crossing
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A batch in the order of the log: accounts that are gone, snapshots after that, crossings."""

    gone: set[str] = field(default_factory=set)
    snapshots: list[tuple[ReceivedSnapshot, str | None]] = field(default_factory=list)
    crossings: list[ReceivedCrossing] = field(default_factory=list)


async def take_in(feed: Feed, news: News, now: datetime) -> int:
    """Take a batch in; how many deliveries came of it. While nobody wants to be told, all that is done is to keep the newest."""
    if news.gone:
        await feed.health.forget(news.gone)
        await feed.deliveries.forget(news.gone)
    subscribers = await feed.subscriptions.active()
    deliveries: list[NewDelivery] = []
    if subscribers:
        deliveries = [
            *await _changes(feed, subscribers, news.snapshots),
            *_crossings(subscribers, news.crossings),
        ]
        await feed.deliveries.add(deliveries, now)
    for snapshots in _by_day([each for each, _ in news.snapshots]):
        await feed.health.save(snapshots)
    return len(deliveries)


def _by_day(snapshots: Sequence[ReceivedSnapshot]) -> Sequence[Sequence[ReceivedSnapshot]]:
    """The last one of each account and day, one of each account at a time: the first days first."""
    days: dict[str, dict[object, ReceivedSnapshot]] = {}
    for each in snapshots:
        of_account = days.setdefault(each.account_id, {})
        newest = max((told.revision for told in of_account.values()), default=-1)
        if each.revision > newest:
            of_account[each.day] = each
    most = max(map(len, days.values()), default=0)
    columns = [list(each.values()) for each in days.values()]
    return [[each[place] for each in columns if place < len(each)] for place in range(most)]


async def _changes(
    feed: Feed, subscribers: Sequence[Subscriber], snapshots: Sequence[tuple[ReceivedSnapshot, str | None]]
) -> list[NewDelivery]:
    accounts = {each.account_id for each, _ in snapshots}
    if not accounts:
        return []
    comparing = _Comparing(
        dict(await feed.health.known(accounts)), dict(await feed.subscriptions.told(accounts))
    )
    for each, traceparent in snapshots:
        comparing.look(each, traceparent, subscribers)
    await feed.subscriptions.tell(comparing.newly_told)
    return comparing.deliveries


class _Comparing:
    """Snapshot after snapshot against what was known before it, and what each subscriber was told."""

    def __init__(self, known: dict[str, Known], told: dict[TellKey, float | None]) -> None:
        self._known = known
        self._told = told
        self.newly_told: dict[TellKey, float | None] = {}
        self.deliveries: list[NewDelivery] = []

    def look(
        self, each: ReceivedSnapshot, traceparent: str | None, subscribers: Sequence[Subscriber]
    ) -> None:
        """One snapshot; one that is no newer than what is known is passed over."""
        known = self._known.get(each.account_id)
        if known is not None and each.revision <= known.revision:
            return
        self._known[each.account_id] = Known(
            each.revision, each.score, each.band, each.scorecard, bytes(each.measures)
        )
        if known is not None and (known.score, known.band) == (each.score, each.band):
            return
        change = _Change(each, known, traceparent)
        for subscriber in subscribers:
            self._ask(subscriber, change)

    def _ask(self, subscriber: Subscriber, change: "_Change") -> None:
        wants, each = subscriber.wants, change.received
        score = "score" in wants.filters.events
        key = (subscriber.id, each.account_id)
        told = self._told.get(key, change.known.score if change.known else None)
        band = wants_band(wants.filters, change.known.band if change.known else None, each.band)
        moved = score and moved_enough(told, each.score, wants.filters.min_change)
        no_news = change.no_news(subscriber)
        # Conditions are the dearest of it, so they are asked last.
        idle = not (moved or band) and (not score or (key in self._told and not no_news))
        if idle or not about(wants.filters, change.standing, subscriber.condition):
            return
        if no_news:
            # The ground has moved, not the customer: later changes are measured from here.
            if score:
                self._now_knows(key, each.score)
            return
        if score and key not in self._told:
            self._now_knows(key, told)
        if moved:
            self.deliveries.append(change.delivery(subscriber, "health.score_changed", told))
            self._now_knows(key, each.score)
        if band:
            self.deliveries.append(change.delivery(subscriber, "health.band_changed", told))

    def _now_knows(self, key: TellKey, score: float | None) -> None:
        self._told[key] = self.newly_told[key] = score


class _Change:
    """A snapshot whose score or band differs from what was known; the whole of it is read when somebody asks for it."""

    def __init__(self, received: ReceivedSnapshot, known: Known | None, traceparent: str | None) -> None:
        self.received = received
        self.known = known
        self._traceparent = traceparent
        self._by_model = known is not None and known.scorecard != received.scorecard
        self._snapshot: AccountSnapshot | None = None

    @property
    def snapshot(self) -> AccountSnapshot:
        """All of it."""
        if self._snapshot is None:
            self._snapshot = _snapshot.decode(self.received.data)
        return self._snapshot

    @property
    def standing(self) -> Standing:
        """As filters see the account."""
        return _standing(self.snapshot)

    def no_news(self, subscriber: Subscriber) -> bool:
        """Whether it is not to be told: from before the subscription, or the doing of a model or an import."""
        old = self.received.evaluated_at < subscriber.created_at
        ours = self.received.backfilling or self._by_model
        return old or (ours and not subscriber.wants.include_model_changes)

    def delivery(self, subscriber: Subscriber, type_: EventType, told: float | None) -> NewDelivery:
        """What the subscriber is sent."""
        each = self.received
        id_ = derived_id("feed", subscriber.id, type_, each.account_id, each.revision)
        data = messages.change_data(type_, self.snapshot, self.known, told, subscriber.wants)
        return NewDelivery(
            id=id_,
            subscription_id=subscriber.id,
            type=type_,
            account_id=each.account_id,
            revision=each.revision,
            body=messages.body(id_, type_, each.evaluated_at, each.account_id, data),
            traceparent=self._traceparent,
        )


def _crossings(subscribers: Sequence[Subscriber], received: Sequence[ReceivedCrossing]) -> list[NewDelivery]:
    return [
        _crossing(subscriber, each)
        for each in received
        for subscriber in subscribers
        if _wants(subscriber, each.crossing)
    ]


def _wants(subscriber: Subscriber, crossing: Crossing) -> bool:
    wants = subscriber.wants
    crossed = Crossed(threshold=crossing.threshold, direction=crossing.direction)
    if crossing.occurred_at < subscriber.created_at or not wants_crossing(wants.filters, crossed):
        return False
    no_news = not crossing.cause.outreach or crossing.snapshot.backfilling
    if no_news and not wants.include_model_changes:
        return False
    return about(wants.filters, _standing(crossing.snapshot), subscriber.condition)


def _crossing(subscriber: Subscriber, received: ReceivedCrossing) -> NewDelivery:
    crossing = received.crossing
    type_: EventType = "health.threshold_crossed"
    id_ = derived_id("feed", subscriber.id, type_, crossing.account_id, received.id)
    data = messages.crossing_data(crossing, subscriber.wants)
    return NewDelivery(
        id=id_,
        subscription_id=subscriber.id,
        type=type_,
        account_id=crossing.account_id,
        revision=crossing.snapshot.revision,
        body=messages.body(id_, type_, crossing.occurred_at, crossing.account_id, data),
        traceparent=received.traceparent,
    )


def _standing(snapshot: AccountSnapshot) -> Standing:
    return Standing(
        account_id=snapshot.account_id,
        score=snapshot.score,
        band=snapshot.band,
        coverage=snapshot.coverage,
        attributes=snapshot.attributes,
    )
