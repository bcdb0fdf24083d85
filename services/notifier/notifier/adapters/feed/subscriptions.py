"""The tables of subscriptions: what each wants, what it knows, its secrets, and how fit its endpoint is."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.feed.conditions import stored_condition
from notifier.application.feed_ports import Subscriber, SubscriptionView, TellKey, Wants
from notifier.domain.subscriptions import Fitness

_ACTIVE = text(
    "SELECT id, version, wants, created_at FROM subscriptions WHERE status = 'active' ORDER BY created_at, id"
)

_TOLD = text("""
SELECT subscription_id, account_id, score FROM feed_told WHERE account_id = ANY(CAST(:ids AS text[]))
""")

_TELL = text("""
INSERT INTO feed_told (subscription_id, account_id, score)
SELECT * FROM unnest(CAST(:subscriptions AS text[]), CAST(:accounts AS text[]), CAST(:scores AS float8[]))
ON CONFLICT (subscription_id, account_id) DO UPDATE SET score = EXCLUDED.score
""")

_FITNESS = text("""
SELECT id, failing_since, given_up FROM subscriptions WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE
""")

_JUDGE = text("""
UPDATE subscriptions s SET failing_since = t.failing_since, given_up = t.given_up,
    status = CASE WHEN t.reason IS NULL THEN s.status ELSE 'disabled' END,
    disabled_at = CASE WHEN t.reason IS NULL OR s.status = 'disabled' THEN s.disabled_at ELSE CAST(:now AS timestamptz) END,
    disabled_reason = CASE WHEN s.status = 'disabled' THEN s.disabled_reason ELSE t.reason END
FROM unnest(CAST(:ids AS text[]), CAST(:since AS timestamptz[]), CAST(:given_up AS int[]), CAST(:reasons AS text[]))
    AS t(id, failing_since, given_up, reason)
WHERE s.id = t.id
""")

_CREATE = text("""
INSERT INTO subscriptions (id, name, url, wants, created_at, updated_at)
VALUES (:id, :name, :url, CAST(:wants AS jsonb), :now, :now)
""")

_CHANGE = text("""
UPDATE subscriptions SET name = :name, url = :url, wants = CAST(:wants AS jsonb), version = version + 1, updated_at = :now
WHERE id = :id AND version = :version
""")

_VIEWS = """
SELECT s.*, (SELECT count(*) FROM feed_deliveries d WHERE d.subscription_id = s.id AND d.wake_at IS NOT NULL) AS waiting
FROM subscriptions s
"""
_FIND = text(f"{_VIEWS} WHERE s.id = :id")
_PAGE = text(f"""
{_VIEWS} WHERE CAST(:at AS timestamptz) IS NULL OR (s.created_at, s.id) < (:at, :id)
ORDER BY s.created_at DESC, s.id DESC LIMIT :limit
""")

_DELETE_PARTS = (
    text("SELECT id FROM feed_deliveries WHERE subscription_id = :id ORDER BY id FOR UPDATE"),
    text("DELETE FROM feed_deliveries WHERE subscription_id = :id"),
    text("DELETE FROM feed_told WHERE subscription_id = :id"),
)
_DELETE = text("DELETE FROM subscriptions WHERE id = :id")

_DISABLE = text("""
UPDATE subscriptions SET status = 'disabled', disabled_at = :now, disabled_reason = :reason, version = version + 1
WHERE id = :id AND status = 'active'
""")
_ENABLE = text("""
UPDATE subscriptions SET status = 'active', disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, given_up = 0,
    version = version + 1 WHERE id = :id
""")

_SECRETS = text("""
SELECT secret FROM subscription_secrets WHERE subscription_id = :id AND (expires_at IS NULL OR expires_at > :now)
ORDER BY number DESC
""")
_EXPIRE = text("""
UPDATE subscription_secrets SET expires_at = least(expires_at, :until) WHERE subscription_id = :id
""")
_EXPIRED = text("DELETE FROM subscription_secrets WHERE subscription_id = :id AND expires_at <= :now")
_ADD_SECRET = text("""
INSERT INTO subscription_secrets (subscription_id, number, secret, created_at)
SELECT :id, 1 + coalesce(max(number), 0), :secret, :now FROM subscription_secrets WHERE subscription_id = :id
""")


class SubscriptionCache:
    """The active subscriptions of a process, read again after `max_age_s`; a condition is compiled once for each version."""

    def __init__(self, *, max_age_s: float = 0.5, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._max_age_s = max_age_s
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._known: Sequence[Subscriber] = ()

    async def active(self, tx: AsyncConnection) -> Sequence[Subscriber]:
        """Those that are active."""
        now = self._monotonic()
        if self._read_at is None or now - self._read_at >= self._max_age_s:
            known = {(each.id, each.version): each for each in self._known}
            rows = (await tx.execute(_ACTIVE)).all()
            self._known = [known.get((row.id, row.version)) or _subscriber(row) for row in rows]
            self._read_at = now
        return self._known


class PostgresSubscriptions:
    """Implements feed_ports.Subscriptions."""

    def __init__(self, tx: AsyncConnection, cache: SubscriptionCache) -> None:
        self._tx = tx
        self._cache = cache

    async def active(self) -> Sequence[Subscriber]:
        """Those that want to be told: as they were a moment ago at most."""
        return await self._cache.active(self._tx)

    async def told(self, account_ids: Collection[str]) -> Mapping[TellKey, float | None]:
        """The score that subscriptions know of these accounts."""
        rows = await self._tx.execute(_TOLD, {"ids": sorted(account_ids)})
        return {(row.subscription_id, row.account_id): row.score for row in rows}

    async def tell(self, scores: Mapping[TellKey, float | None]) -> None:
        """They know these scores now."""
        if scores:
            keys = sorted(scores)
            values = {
                "subscriptions": [subscription for subscription, _ in keys],
                "accounts": [account for _, account in keys],
                "scores": [scores[key] for key in keys],
            }
            await self._tx.execute(_TELL, values)

    async def fitness(self, subscription_ids: Collection[str]) -> Mapping[str, Fitness]:
        """How fit their endpoints are, locked; those that are deleted are absent."""
        rows = await self._tx.execute(_FITNESS, {"ids": sorted(subscription_ids)})
        return {row.id: Fitness(row.failing_since, row.given_up) for row in rows}

    async def judge(self, judged: Mapping[str, tuple[Fitness, str | None]], now: datetime) -> None:
        """By subscription: how fit its endpoint is, and why it is disabled, if so."""
        if judged:
            values = {
                "ids": list(judged),
                "since": [fitness.failing_since for fitness, _ in judged.values()],
                "given_up": [fitness.given_up for fitness, _ in judged.values()],
                "reasons": [reason for _, reason in judged.values()],
            }
            await self._tx.execute(_JUDGE, values | {"now": now})

    async def create(
        self, subscription_id: str, name: str, url: str, wants: Wants, secret: str, now: datetime
    ) -> None:
        """Write a new one down."""
        row = {"id": subscription_id, "name": name, "url": url, "wants": _json(wants), "now": now}
        await self._tx.execute(_CREATE, row)
        await self._tx.execute(_ADD_SECRET, {"id": subscription_id, "secret": secret, "now": now})

    async def change(
        self, subscription_id: str, version: int, name: str, url: str, wants: Wants, now: datetime
    ) -> bool:
        """False where it is not at that version any more."""
        row = {
            "id": subscription_id,
            "version": version,
            "name": name,
            "url": url,
            "wants": _json(wants),
            "now": now,
        }
        return (await self._tx.execute(_CHANGE, row)).rowcount == 1

    async def find(self, subscription_id: str) -> SubscriptionView | None:
        """One of them."""
        row = (await self._tx.execute(_FIND, {"id": subscription_id})).one_or_none()
        return None if row is None else _view(row)

    async def page(self, before: tuple[datetime, str] | None, limit: int) -> Sequence[SubscriptionView]:
        """Newest first."""
        at, id_ = before or (None, "")
        return [_view(row) for row in await self._tx.execute(_PAGE, {"at": at, "id": id_, "limit": limit})]

    async def delete(self, subscription_id: str) -> bool:
        """With its secrets, its deliveries and what it knows; False where there is none."""
        for statement in _DELETE_PARTS:
            await self._tx.execute(statement, {"id": subscription_id})
        return (await self._tx.execute(_DELETE, {"id": subscription_id})).rowcount == 1

    async def disable(self, subscription_id: str, reason: str, now: datetime) -> None:
        """Send nothing more; what waits stays."""
        await self._tx.execute(_DISABLE, {"id": subscription_id, "reason": reason, "now": now})

    async def enable(self, subscription_id: str, now: datetime) -> None:
        """As if it had never failed."""
        await self._tx.execute(_ENABLE, {"id": subscription_id})

    async def secrets(self, subscription_id: str, now: datetime) -> Sequence[str]:
        """Those that sign, the newest first."""
        return list(await self._tx.scalars(_SECRETS, {"id": subscription_id, "now": now}))

    async def rotate(self, subscription_id: str, secret: str, now: datetime, until: datetime) -> None:
        """A new secret; those before it sign beside it until then at most."""
        await self._tx.execute(_EXPIRED, {"id": subscription_id, "now": now})
        await self._tx.execute(_EXPIRE, {"id": subscription_id, "until": until})
        await self._tx.execute(_ADD_SECRET, {"id": subscription_id, "secret": secret, "now": now})


def _subscriber(row: Any) -> Subscriber:
    wants = msgspec.convert(row.wants, Wants)
    where = wants.filters.where
    return Subscriber(
        id=row.id,
        version=row.version,
        wants=wants,
        condition=None if where is None else stored_condition(where),
        created_at=row.created_at,
    )


def _view(row: Any) -> SubscriptionView:
    wants = msgspec.convert(row.wants, Wants)
    return SubscriptionView(
        id=row.id,
        name=row.name,
        url=row.url,
        filters=wants.filters,
        include_model_changes=wants.include_model_changes,
        attributes=wants.attributes,
        version=row.version,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        given_up=row.given_up,
        waiting=row.waiting,
        dropped=row.dropped,
    )


def _json(wants: Wants) -> str:
    return msgspec.json.encode(wants).decode()
