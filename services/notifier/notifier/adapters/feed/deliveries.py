"""The tables of deliveries and their attempts."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.application.feed_ports import (
    AttemptedDelivery,
    BegunDelivery,
    DeliveryAttempt,
    DeliveryDetail,
    DeliveryView,
    NewDelivery,
)
from notifier.domain.notification import Status

_ADD = text("""
INSERT INTO feed_deliveries (id, subscription_id, type, account_id, revision, body, traceparent, created_at, status, wake_at)
SELECT *, :now, 'pending', :now FROM unnest(CAST(:ids AS text[]), CAST(:subscriptions AS text[]), CAST(:types AS text[]),
    CAST(:accounts AS text[]), CAST(:revisions AS bigint[]), CAST(:bodies AS text[]), CAST(:traceparents AS text[]))
ON CONFLICT (id) DO NOTHING
""")

# Each subscription by itself: thousands of rows that wait for one endpoint are not walked through to find those of another.
_DUE = text("""
SELECT d.*, s.url, ARRAY(SELECT secret FROM subscription_secrets x WHERE x.subscription_id = s.id
    AND (x.expires_at IS NULL OR x.expires_at > :now) ORDER BY x.number DESC) AS secrets
FROM subscriptions s CROSS JOIN LATERAL (
    SELECT id, subscription_id, body, attempt, forgiven, traceparent FROM feed_deliveries
    WHERE subscription_id = s.id AND wake_at <= :now ORDER BY wake_at LIMIT :each FOR UPDATE SKIP LOCKED
) d
WHERE s.status = 'active' AND s.id <> ALL(CAST(:busy AS text[])) LIMIT :limit
""")

_BEGIN = text("""
UPDATE feed_deliveries d SET status = 'sending', attempt = t.attempt, wake_at = t.lease_until, lease_owner = :owner
FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[]), CAST(:leases AS timestamptz[])) AS t(id, attempt, lease_until)
WHERE d.id = t.id
""")

_LOST = text("""
UPDATE feed_attempts SET outcome = 'unknown', ended_at = :now, detail = 'whoever made it never told how it ended'
WHERE delivery_id = ANY(CAST(:ids AS text[])) AND outcome IS NULL
""")

_BEGIN_ATTEMPTS = text("""
INSERT INTO feed_attempts (delivery_id, number, started_at)
SELECT *, :now FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[]))
""")

_LOCK = text("SELECT id FROM feed_deliveries WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE")

_RECORD = text("""
UPDATE feed_deliveries d SET status = t.status, reason = t.reason, wake_at = t.wake_at, lease_owner = NULL,
    finished_at = CASE WHEN t.wake_at IS NULL THEN CAST(:now AS timestamptz) END
FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]),
    CAST(:wake_at AS timestamptz[])) AS t(id, attempt, status, reason, wake_at)
WHERE d.id = t.id AND d.attempt = t.attempt AND d.status = 'sending' RETURNING d.id
""")

_RECORD_ATTEMPTS = text("""
UPDATE feed_attempts a SET ended_at = :now, outcome = t.outcome, code = t.code, detail = t.detail, duration_ms = t.took
FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[]), CAST(:outcomes AS text[]), CAST(:codes AS int[]),
    CAST(:details AS text[]), CAST(:took AS float8[])) AS t(id, attempt, outcome, code, detail, took)
WHERE a.delivery_id = t.id AND a.number = t.attempt
""")

_VIEW = "id, type, account_id, revision, status, reason, created_at, wake_at, finished_at, attempt"
_PAGE = text(f"""
SELECT {_VIEW} FROM feed_deliveries WHERE subscription_id = :subscription
    AND (CAST(:status AS text) IS NULL OR status = :status)
    AND (CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (:at, :id))
ORDER BY created_at DESC, id DESC LIMIT :limit
""")  # noqa: S608  (constants, here and below)
_DETAIL = text(f"""
SELECT {_VIEW}, body FROM feed_deliveries WHERE subscription_id = :subscription AND id = :id
""")  # noqa: S608
_ATTEMPTS = text("SELECT * FROM feed_attempts WHERE delivery_id = :id ORDER BY number")

_REPLAY = text("""
UPDATE feed_deliveries d SET status = 'pending', reason = NULL, finished_at = NULL, forgiven = d.attempt,
    wake_at = CAST(:now AS timestamptz) + (t.place - 1) * CAST(:step AS interval)
FROM (
    SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM (
        SELECT id, created_at FROM feed_deliveries WHERE subscription_id = :subscription AND wake_at IS NULL
            AND CASE WHEN CAST(:id AS text) IS NULL THEN status = 'failed' ELSE id = :id END
        ORDER BY created_at, id LIMIT :limit FOR UPDATE
    ) chosen
) t
WHERE d.id = t.id RETURNING d.id
""")

_DROP = text("""
UPDATE feed_deliveries SET status = 'cancelled', reason = :reason, wake_at = NULL, finished_at = :now
WHERE subscription_id = :subscription AND status IN ('pending', 'retry') RETURNING id
""")

_PACE = text("""
UPDATE feed_deliveries d SET wake_at = CAST(:now AS timestamptz) + (t.place - 1) * CAST(:step AS interval), forgiven = d.attempt
FROM (
    SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM feed_deliveries
    WHERE subscription_id = :subscription AND status IN ('pending', 'retry')
) t
WHERE d.id = t.id RETURNING d.id
""")

_FORGET = (
    text("DELETE FROM feed_deliveries WHERE account_id = ANY(CAST(:ids AS text[]))"),
    text("DELETE FROM feed_told WHERE account_id = ANY(CAST(:ids AS text[]))"),
)


class PostgresDeliveries:
    """Implements feed_ports.Deliveries."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        """Take them in; one that is known already is left as it is."""
        if not deliveries:
            return
        values: dict[str, Any] = {
            "ids": [each.id for each in deliveries],
            "subscriptions": [each.subscription_id for each in deliveries],
            "types": [each.type for each in deliveries],
            "accounts": [each.account_id for each in deliveries],
            "revisions": [each.revision for each in deliveries],
            "bodies": [each.body for each in deliveries],
            "traceparents": [each.traceparent for each in deliveries],
        }
        await self._tx.execute(_ADD, values | {"now": now})

    async def due(
        self, now: datetime, lease_until: datetime, limit: int, each: int, busy: Collection[str]
    ) -> Sequence[BegunDelivery]:
        """Lock up to `limit` that are due, up to `each` of a subscription that is not busy: the attempts they would be."""
        wanted = {"now": now, "limit": limit, "each": each, "busy": sorted(busy)}
        return [_begun(row, lease_until) for row in await self._tx.execute(_DUE, wanted)]

    async def begin(self, begun: Sequence[BegunDelivery], owner: str, now: datetime) -> None:
        """Write down that these attempts begin; attempts before them that never ended did so unknown."""
        if begun:
            keys = _keys(begun)
            leases = [each.lease_until for each in begun]
            await self._tx.execute(_BEGIN, keys | {"leases": leases, "owner": owner})
            await self._tx.execute(_LOST, {"ids": keys["ids"], "now": now})
            await self._tx.execute(_BEGIN_ATTEMPTS, keys | {"now": now})

    async def record(self, attempted: Sequence[AttemptedDelivery], now: datetime) -> Collection[str]:
        """Write down how attempts ended: the ids of those that were still ours."""
        await self._tx.execute(_LOCK, {"ids": [each.begun.id for each in attempted]})
        verdicts = [each.verdict for each in attempted]
        values = _keys([each.begun for each in attempted]) | {
            "now": now,
            "statuses": [each.status.value for each in verdicts],
            "reasons": [each.reason for each in verdicts],
            "wake_at": [each.wake_at for each in verdicts],
        }
        ours = frozenset(await self._tx.scalars(_RECORD, values))
        mine = [each for each in attempted if each.begun.id in ours]
        answers = [each.verdict.answer for each in mine]
        told = _keys([each.begun for each in mine]) | {
            "now": now,
            "outcomes": [each.outcome if each else None for each in answers],
            "codes": [each.code if each else None for each in answers],
            "details": [each.detail if each else None for each in answers],
            "took": [each.duration_ms for each in mine],
        }
        await self._tx.execute(_RECORD_ATTEMPTS, told)
        return ours

    async def page(
        self, subscription_id: str, status: Status | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[DeliveryView]:
        """Newest first."""
        at, id_ = before or (None, "")
        word = None if status is None else status.value
        wanted = {"subscription": subscription_id, "status": word, "at": at, "id": id_, "limit": limit}
        return [DeliveryView(**_view(row)) for row in await self._tx.execute(_PAGE, wanted)]

    async def detail(self, subscription_id: str, delivery_id: str) -> DeliveryDetail | None:
        """All that is known of one."""
        wanted = {"subscription": subscription_id, "id": delivery_id}
        row = (await self._tx.execute(_DETAIL, wanted)).one_or_none()
        if row is None:
            return None
        attempts = [_attempt(each) for each in await self._tx.execute(_ATTEMPTS, {"id": delivery_id})]
        return DeliveryDetail(**_view(row), body=msgspec.json.decode(row.body), attempts=tuple(attempts))

    async def replay(
        self, subscription_id: str, now: datetime, per_s: float, *, delivery_id: str | None, limit: int
    ) -> int:
        """Send that one again, or up to `limit` of those that failed, at that rate; how many they are."""
        wanted = {"subscription": subscription_id, "id": delivery_id, "limit": limit, **_paced(now, per_s)}
        return len((await self._tx.execute(_REPLAY, wanted)).all())

    async def drop_waiting(self, subscription_id: str, reason: str, now: datetime) -> int:
        """Cancel what waits; how many they were."""
        wanted = {"subscription": subscription_id, "reason": reason, "now": now}
        return len((await self._tx.execute(_DROP, wanted)).all())

    async def pace_waiting(self, subscription_id: str, now: datetime, per_s: float) -> int:
        """Let what waits go at that rate from now on; how many they are."""
        return len(
            (await self._tx.execute(_PACE, {"subscription": subscription_id, **_paced(now, per_s)})).all()
        )

    async def forget(self, account_ids: Collection[str]) -> None:
        """Delete what tells of these accounts."""
        for statement in _FORGET:
            await self._tx.execute(statement, {"ids": sorted(account_ids)})


def _keys(begun: Sequence[BegunDelivery]) -> dict[str, Any]:
    return {"ids": [each.id for each in begun], "numbers": [each.attempt for each in begun]}


def _paced(now: datetime, per_s: float) -> dict[str, Any]:
    return {"now": now, "step": timedelta(seconds=1 / per_s)}


def _begun(row: Any, lease_until: datetime) -> BegunDelivery:
    return BegunDelivery(
        id=row.id,
        subscription_id=row.subscription_id,
        url=row.url,
        secrets=tuple(row.secrets),
        body=row.body,
        attempt=row.attempt + 1,
        tries=row.attempt + 1 - row.forgiven,
        lease_until=lease_until,
        traceparent=row.traceparent,
    )


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "account_id": row.account_id,
        "revision": row.revision,
        "status": Status(row.status),
        "reason": row.reason,
        "created_at": row.created_at,
        "next_attempt_at": row.wake_at,
        "finished_at": row.finished_at,
        "attempt_count": row.attempt,
    }


def _attempt(row: Any) -> DeliveryAttempt:
    return DeliveryAttempt(
        number=row.number,
        started_at=row.started_at,
        duration_ms=row.duration_ms,
        outcome=row.outcome,
        code=row.code,
        detail=row.detail,
    )
