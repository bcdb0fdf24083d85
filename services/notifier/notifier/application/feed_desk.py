"""What people do with subscriptions: make, change, try, rotate, disable, enable and replay them."""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from csm_common.clock import Clock
from csm_common.errors import ConflictError, NotFoundError
from notifier.application import feed_messages as messages
from notifier.application.feed_ports import (
    DeliveryDetail,
    DeliveryView,
    Feed,
    OpenFeed,
    Post,
    SubscriptionView,
    Wants,
)
from notifier.domain.delivery import Outcome
from notifier.domain.notification import Status

TEST = "health.test"
_REPLAYED_AT_ONCE = 10_000
MOST = 200
"""Subscriptions there may be: each is asked about every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a subscription is to be, or to become; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    wants: Wants | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How an endpoint took a test event: `said` is the beginning of its answer."""

    id: str
    outcome: Outcome
    code: int | None
    duration_ms: float
    detail: str
    said: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """A new secret, told this once; until `old_until` the ones before it sign beside it."""

    secret: str
    old_until: datetime


class VersionChangedError(ConflictError):
    """Somebody has changed it since it was read."""

    code = "changed_meanwhile"
    status = 412


class FeedDesk:
    """The use cases behind /v1/subscriptions; each is a transaction of its own."""

    def __init__(
        self,
        open_feed: OpenFeed,
        post: Post,
        clock: Clock,
        *,
        check_url: Callable[[str], None],
        check_condition: Callable[[str], None],
        overlap: timedelta,
        replay_per_s: float,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """The checks raise InvalidError; `on_work` is called when there may be something to send."""
        self._open_feed = open_feed
        self._post = post
        self._clock = clock
        self._check_url = check_url
        self._check_condition = check_condition
        self._overlap = overlap
        self._replay_per_s = replay_per_s
        self._on_work = on_work

    async def create(self, name: str, url: str, wants: Wants) -> tuple[SubscriptionView, str]:
        """A new one, and its secret, which is never told again."""
        self._check(url, wants)
        id_, secret = f"sub_{secrets.token_hex(12)}", new_secret()
        async with self._open_feed() as feed:
            if len(await feed.subscriptions.page(None, MOST)) >= MOST:
                raise ConflictError(f"There are {MOST} subscriptions already; delete one that nobody needs.")
            await feed.subscriptions.create(id_, name, url, wants, secret, self._clock.now())
            return await _found(feed, id_), secret

    async def page(self, before: tuple[datetime, str] | None, limit: int) -> Sequence[SubscriptionView]:
        """Newest first."""
        async with self._open_feed() as feed:
            return await feed.subscriptions.page(before, limit)

    async def find(self, id_: str) -> SubscriptionView:
        """One of them."""
        async with self._open_feed() as feed:
            return await _found(feed, id_)

    async def change(
        self, id_: str, version: int | None, change: Callable[[SubscriptionView], Draft]
    ) -> SubscriptionView:
        """What `change` makes of it; VersionChangedError where it is not at `version` any more."""
        async with self._open_feed() as feed:
            known = await _found(feed, id_)
            draft = change(known)
            name, url = draft.name or known.name, draft.url or known.url
            wants = draft.wants or _wants(known)
            self._check(url, wants)
            unchanged = version is None or version == known.version
            args = (id_, known.version, name, url, wants, self._clock.now())
            if not unchanged or not await feed.subscriptions.change(*args):
                raise VersionChangedError(f"The subscription {id_} was changed meanwhile; read it again.")
            return await _found(feed, id_)

    async def delete(self, id_: str) -> None:
        """With all that belongs to it."""
        async with self._open_feed() as feed:
            if not await feed.subscriptions.delete(id_):
                raise _missing(id_)

    async def test(self, id_: str) -> Tried:
        """Post a marked event now, whether it is active or not; nothing is written down."""
        now = self._clock.now()
        async with self._open_feed() as feed:
            known = await _found(feed, id_)
            keys = await feed.subscriptions.secrets(id_, now)
        message = f"test_{secrets.token_hex(12)}"
        told = {"test": True, "subscription": id_, "reason": "Somebody tries whether this endpoint answers."}
        body = messages.body(message, TEST, now, "", told)
        started = time.monotonic()
        # No transaction is open here: the endpoint may take its time.
        answer = await self._post(known.url, message_id=message, body=body, secrets=keys, at=now)
        return Tried(
            id=message,
            outcome=answer.outcome,
            code=answer.code,
            duration_ms=round((time.monotonic() - started) * 1000, 1),
            detail=answer.detail,
            said=answer.said,
        )

    async def rotate(self, id_: str, overlap: timedelta | None) -> Rotated:
        """A new secret; the old ones sign beside it for `overlap`, so that the receiver may change over when it likes."""
        now, secret = self._clock.now(), new_secret()
        until = now + (self._overlap if overlap is None else overlap)
        async with self._open_feed() as feed:
            await _found(feed, id_)
            await feed.subscriptions.rotate(id_, secret, now, until)
        return Rotated(secret=secret, old_until=until)

    async def disable(self, id_: str, reason: str) -> SubscriptionView:
        """Send nothing more until it is enabled; changes meanwhile are not told later, what waits stays."""
        async with self._open_feed() as feed:
            await _found(feed, id_)
            await feed.subscriptions.disable(id_, reason, self._clock.now())
            return await _found(feed, id_)

    async def enable(self, id_: str, waiting: Literal["send", "drop"]) -> SubscriptionView:
        """Go on; what waits is sent at the rate of replays, or dropped."""
        now = self._clock.now()
        async with self._open_feed() as feed:
            await _found(feed, id_)
            if waiting == "drop":
                await feed.deliveries.drop_waiting(id_, "dropped when the subscription was enabled", now)
            else:
                await feed.deliveries.pace_waiting(id_, now, self._replay_per_s)
            await feed.subscriptions.enable(id_, now)
            found = await _found(feed, id_)
        self._on_work()
        return found

    async def deliveries(
        self, id_: str, status: Status | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[DeliveryView]:
        """Newest first."""
        async with self._open_feed() as feed:
            await _found(feed, id_)
            return await feed.deliveries.page(id_, status, before, limit)

    async def delivery(self, id_: str, delivery_id: str) -> DeliveryDetail:
        """What was sent, and every attempt."""
        async with self._open_feed() as feed:
            found = await feed.deliveries.detail(id_, delivery_id)
        if found is None:
            raise NotFoundError(f"The subscription {id_} has no delivery {delivery_id!r}.")
        return found

    async def replay(self, id_: str, delivery_id: str | None) -> int:
        """Send again, under the same ids: that one, or all that failed, the oldest first; how many they are."""
        async with self._open_feed() as feed:
            await _found(feed, id_)
            replayed = await feed.deliveries.replay(
                id_, self._clock.now(), self._replay_per_s, delivery_id=delivery_id, limit=_REPLAYED_AT_ONCE
            )
            if delivery_id is not None and not replayed:
                await self._why_not(feed, id_, delivery_id)
        self._on_work()
        return replayed

    async def _why_not(self, feed: Feed, id_: str, delivery_id: str) -> None:
        if await feed.deliveries.detail(id_, delivery_id) is None:
            raise NotFoundError(f"The subscription {id_} has no delivery {delivery_id!r}.")
        raise ConflictError(f"The delivery {delivery_id} has not ended; it is on its way already.")

    def _check(self, url: str, wants: Wants) -> None:
        self._check_url(url)
        if wants.filters.where is not None:
            self._check_condition(wants.filters.where)


def new_secret() -> str:
    """As Standard Webhooks have it: whsec_ and the base64 of 32 bytes that nobody can guess."""
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


async def _found(feed: Feed, id_: str) -> SubscriptionView:
    found = await feed.subscriptions.find(id_)
    if found is None:
        raise _missing(id_)
    return found


def _missing(id_: str) -> NotFoundError:
    return NotFoundError(f"There is no subscription {id_!r}.")


def _wants(known: SubscriptionView) -> Wants:
    return replace(
        Wants(),
        filters=known.filters,
        include_model_changes=known.include_model_changes,
        attributes=known.attributes,
    )
