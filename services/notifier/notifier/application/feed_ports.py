"""What the health change feed needs: snapshots as they come, the tables of one transaction, and a way to post."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, Protocol

import msgspec

from notifier.domain.delivery import Answer, Outcome, Verdict
from notifier.domain.notification import Status
from notifier.domain.subscriptions import Condition, Filters, Fitness

EventType = Literal["health.score_changed", "health.band_changed", "health.threshold_crossed"]


class CardName(msgspec.Struct, frozen=True):
    """Which model judged."""

    name: str
    version: int


class ReceivedSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of every `AccountSnapshot`: decoding all of it costs three times as much. `data` is all of it, as JSON."""

    account_id: str
    revision: int
    evaluated_at: datetime
    score: float | None
    band: str | None
    card: CardName = msgspec.field(name="scorecard")
    measures: msgspec.Raw = msgspec.Raw(b"{}")
    backfilling: bool = False
    data: bytes = b""

    @property
    def scorecard(self) -> str:
        """The model as one word, such as `default/3`."""
        return f"{self.card.name}/{self.card.version}"

    @property
    def day(self) -> date:
        """The day it counts for, in UTC."""
        return self.evaluated_at.astimezone(UTC).date()


class Known(NamedTuple):
    """What is known of an account before a snapshot; `measures` are its points as JSON."""

    revision: int
    score: float | None
    band: str | None
    scorecard: str
    measures: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What a subscriber asked for. `attributes` are those of the account that go into each message."""

    filters: Filters = field(default_factory=Filters)
    include_model_changes: bool = False
    attributes: tuple[str, ...] = ("name", "segment", "plan", "owner", "team")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A subscription that is active, ready to be asked."""

    id: str
    version: int
    wants: Wants
    condition: Condition | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """A subscription as it is shown; its secret is not. `waiting` are the deliveries that have not ended, `dropped` those that
    were given up because too many waited."""

    id: str
    name: str
    url: str
    filters: Filters
    include_model_changes: bool
    attributes: tuple[str, ...]
    version: int
    status: Literal["active", "disabled"]
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    given_up: int
    waiting: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One event for one subscription. `body` is the JSON that is sent and signed, the same at every attempt."""

    id: str
    subscription_id: str
    type: str
    account_id: str
    revision: int
    body: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunDelivery:
    """An attempt that is ours until `lease_until`; its number is the fence. `secrets` sign, the newest first."""

    id: str
    subscription_id: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    body: str
    attempt: int
    tries: int
    lease_until: datetime
    traceparent: str | None = None

    @property
    def endpoint(self) -> str:
        """The name under which it is paced and left alone when it is out of order."""
        return f"subscription:{self.subscription_id}"

    @property
    def expires_at(self) -> None:
        """Never: what is too much is dropped."""
        return


@dataclass(frozen=True, slots=True)
class AttemptedDelivery:
    """How an attempt ended, yet to be recorded."""

    begun: BegunDelivery
    verdict: Verdict
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """A delivery in the log of a subscription."""

    id: str
    type: str
    account_id: str
    revision: int
    status: Status
    reason: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempt_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt; `outcome` is None while it is going on, `code` is HTTP's."""

    number: int
    started_at: datetime
    duration_ms: float | None
    outcome: Outcome | None
    code: int | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail(DeliveryView):
    """A delivery with what was sent, and every attempt."""

    body: object
    attempts: tuple[DeliveryAttempt, ...]


class KnownHealth(Protocol):
    """The newest of each account."""

    async def known(self, account_ids: Collection[str]) -> Mapping[str, Known]:
        """What is known of these; accounts never heard of are absent."""
        ...

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known; at most one an account."""
        ...

    async def forget(self, account_ids: Collection[str]) -> None:
        """Nothing is known of these any more."""
        ...


TellKey = tuple[str, str]
"""Subscription and account."""


class Subscriptions(Protocol):
    """Subscriptions, and what they know."""

    async def active(self) -> Sequence[Subscriber]:
        """Those that want to be told: as they were a moment ago at most."""
        ...

    async def told(self, account_ids: Collection[str]) -> Mapping[TellKey, float | None]:
        """The score that subscriptions know of these accounts."""
        ...

    async def tell(self, scores: Mapping[TellKey, float | None]) -> None:
        """They know these scores now."""
        ...

    async def judge(self, judged: Mapping[str, tuple[Fitness, str | None]], now: datetime) -> None:
        """By subscription: how fit its endpoint is, and why it is disabled, if so."""
        ...

    async def fitness(self, subscription_ids: Collection[str]) -> Mapping[str, Fitness]:
        """How fit their endpoints are, locked; those that are deleted are absent."""
        ...

    async def create(
        self, subscription_id: str, name: str, url: str, wants: Wants, secret: str, now: datetime
    ) -> None:
        """Write a new one down."""
        ...

    async def change(
        self, subscription_id: str, version: int, name: str, url: str, wants: Wants, now: datetime
    ) -> bool:
        """False where it is not at that version any more."""
        ...

    async def find(self, subscription_id: str) -> SubscriptionView | None:
        """One of them."""
        ...

    async def page(self, before: tuple[datetime, str] | None, limit: int) -> Sequence[SubscriptionView]:
        """Newest first."""
        ...

    async def delete(self, subscription_id: str) -> bool:
        """With its secrets, its deliveries and what it knows; False where there is none."""
        ...

    async def disable(self, subscription_id: str, reason: str, now: datetime) -> None:
        """Send nothing more; what waits stays."""
        ...

    async def enable(self, subscription_id: str, now: datetime) -> None:
        """As if it had never failed."""
        ...

    async def secrets(self, subscription_id: str, now: datetime) -> Sequence[str]:
        """Those that sign, the newest first."""
        ...

    async def rotate(self, subscription_id: str, secret: str, now: datetime, until: datetime) -> None:
        """A new secret; those before it sign beside it until then at most."""
        ...


class Deliveries(Protocol):
    """Events on their way to subscribers."""

    async def add(self, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        """Take them in; one that is known already is left as it is."""
        ...

    async def due(
        self, now: datetime, lease_until: datetime, limit: int, each: int, busy: Collection[str]
    ) -> Sequence[BegunDelivery]:
        """Lock up to `limit` that are due, up to `each` of a subscription that is not busy: the attempts they would be."""
        ...

    async def begin(self, begun: Sequence[BegunDelivery], owner: str, now: datetime) -> None:
        """Write down that these attempts begin; attempts before them that never ended did so unknown."""
        ...

    async def record(self, attempted: Sequence[AttemptedDelivery], now: datetime) -> Collection[str]:
        """Write down how attempts ended: the ids of those that were still ours."""
        ...

    async def page(
        self, subscription_id: str, status: Status | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[DeliveryView]:
        """Newest first."""
        ...

    async def detail(self, subscription_id: str, delivery_id: str) -> DeliveryDetail | None:
        """All that is known of one."""
        ...

    async def replay(
        self, subscription_id: str, now: datetime, per_s: float, *, delivery_id: str | None, limit: int
    ) -> int:
        """Send that one again, or up to `limit` of those that failed, at that rate; how many they are."""
        ...

    async def drop_waiting(self, subscription_id: str, reason: str, now: datetime) -> int:
        """Cancel what waits; how many they were."""
        ...

    async def pace_waiting(self, subscription_id: str, now: datetime, per_s: float) -> int:
        """Let what waits go at that rate from now on; how many they are."""
        ...

    async def forget(self, account_ids: Collection[str]) -> None:
        """Delete what tells of these accounts."""
        ...


class Feed(Protocol):
    """One transaction of the feed."""

    @property
    def health(self) -> KnownHealth:
        """The newest of each account."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Who wants to be told."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """What is told."""
        ...


OpenFeed = Callable[[], AbstractAsyncContextManager[Feed]]
"""Begins a transaction, which lasts if the block ends without an error."""


class Post(Protocol):
    """Posts what is signed; bad answers and lost connections are answers too, not errors."""

    async def __call__(
        self, url: str, *, message_id: str, body: str, secrets: Sequence[str], at: datetime
    ) -> Answer:
        """Once: no redirect is followed."""
        ...
