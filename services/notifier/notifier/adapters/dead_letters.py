"""The dead among the notifications: found by what they died of, and put back among those that are due."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.application.dead_letters import (
    DeadLetter,
    DeadLetterCount,
    DeadLetterFilter,
    OpenDeadLetters,
    Replay,
)
from notifier.domain.notification import Status
from notifier.domain.replaying import Candidate, Turn

DEAD = "n.status IN ('failed', 'undeliverable', 'unknown')"
"""Of a row `n`. As in the indexes: the planner knows it by these very words."""

# The beginnings are those that domain.delivery gives its reasons.
CODE = """
CASE
    WHEN n.reason = 'erased' THEN 'erased'
    WHEN n.status = 'unknown' THEN 'unknown'
    WHEN n.status = 'undeliverable' AND n.reason LIKE 'the channel %' THEN 'no_channel'
    WHEN n.status = 'undeliverable' THEN 'no_recipient'
    WHEN n.reason LIKE 'refused for good:%' THEN 'refused'
    WHEN n.reason LIKE 'given up after %' OR n.reason LIKE 'all % attempts are used up%' THEN 'given_up'
    ELSE 'template'
END
"""
"""What a row `n` died of."""

_WANTED = f"""
{DEAD}
  AND (CAST(:account_id AS text) IS NULL OR n.account_id = CAST(:account_id AS text))
  AND (CAST(:channel AS text) IS NULL OR n.channel = CAST(:channel AS text))
  AND (CAST(:playbook AS text) IS NULL OR n.playbook = CAST(:playbook AS text))
  AND (CAST(:code AS text) IS NULL OR {CODE} = CAST(:code AS text))
"""

_ROWS = f"""
SELECT n.id, n.account_id, n.channel, n.playbook, n.template, n.category, n.status, {CODE} AS code, n.reason,
    a.code AS answer, n.attempt AS attempts, n.requested_at, n.expires_at, n.finished_at
FROM notifications n LEFT JOIN attempts a ON a.notification_id = n.id AND a.number = n.attempt
"""  # noqa: S608  (constants, here and below)

_PAGE = text(f"""
{_ROWS} WHERE {_WANTED}
  AND (CAST(:at AS timestamptz) IS NULL OR (n.requested_at, n.id) < (CAST(:at AS timestamptz), CAST(:last_id AS text)))
ORDER BY n.requested_at DESC, n.id DESC LIMIT :limit
""")

_ONE = text(f"{_ROWS} WHERE n.id = :id AND {DEAD}")

_COUNTS = text(f"""
SELECT n.channel, {CODE} AS code, count(*) AS dead_letters, min(n.requested_at) AS oldest_at, max(n.requested_at) AS newest_at
FROM notifications n WHERE {_WANTED} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
""")  # noqa: S608

_FIND = text(f"""
SELECT n.id FROM notifications n WHERE {_WANTED} ORDER BY n.priority DESC, n.requested_at, n.id LIMIT :limit
""")  # noqa: S608

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('notifier.dead_letters'))")

# Locked in the order of ids, as everywhere. An erasure takes its messages out of a digest.
_LOCK = text("""
SELECT id, status, expires_at, context = '{}' OR (kind = 'digest' AND context -> 'items' = '[]') AS erased FROM notifications
WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE
""")

_MARK = "sent anew by "
"""How the reason of a replay begins that still waits for its turn."""

_LAST_TURN = text("""
SELECT wake_at FROM notifications WHERE wake_at > :now AND status = 'pending' AND starts_with(reason, :mark)
ORDER BY wake_at DESC LIMIT 1
""")

_REVIVE = text("""
UPDATE notifications n
SET status = 'pending', forgiven = n.attempt, wake_at = t.at, reason = :reason, expires_at = coalesce(:expires_at, n.expires_at),
    finished_at = NULL, held_by = NULL, endpoint = NULL
FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[])) AS t(id, at) WHERE n.id = t.id
""")

_AUDIT = text("""
INSERT INTO decisions (notification_id, number, at, word, rule, reason)
SELECT t.id, coalesce((SELECT max(number) FROM decisions d WHERE d.notification_id = t.id), 0) + 1, :now, 'replay', 'operator',
    :reason
FROM unnest(CAST(:ids AS text[])) AS t(id)
""")


class PostgresDeadLetters:
    """Dead letters in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def page(
        self, wanted: DeadLetterFilter, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[DeadLetter]:
        """Newest first, by request time and id."""
        at, last_id = before or (None, None)
        these = _conditions(wanted) | {"at": at, "last_id": last_id, "limit": limit}
        return [_dead_letter(row) for row in await self._tx.execute(_PAGE, these)]

    async def one(self, notification_id: str) -> DeadLetter | None:
        """None where it is not dead, or not there."""
        row = (await self._tx.execute(_ONE, {"id": notification_id})).one_or_none()
        return None if row is None else _dead_letter(row)

    async def counts(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterCount]:
        """By channel and code, the most first."""
        found = await self._tx.execute(_COUNTS, _conditions(wanted))
        return [DeadLetterCount(**row._mapping) for row in found]

    async def find(self, wanted: DeadLetterFilter, limit: int) -> Sequence[str]:
        """Ids: the highest priority first, then the oldest."""
        return list(await self._tx.scalars(_FIND, _conditions(wanted) | {"limit": limit}))

    async def lock(self, ids: Collection[str]) -> Sequence[Candidate]:
        """Those that there are; no other replay goes on until the end of the transaction."""
        await self._tx.execute(_ONE_AT_A_TIME)
        return [
            Candidate(id=row.id, status=Status(row.status), expires_at=row.expires_at, erased=row.erased)
            for row in await self._tx.execute(_LOCK, {"ids": list(ids)})
        ]

    async def last_turn(self, now: datetime) -> datetime | None:
        """When the last of the replays that still wait goes."""
        found: datetime | None = await self._tx.scalar(_LAST_TURN, {"now": now, "mark": _MARK})
        return found

    async def revive(self, turns: Sequence[Turn], replay: Replay, now: datetime) -> None:
        """Have them tried again, each at its turn, under the ids they have."""
        if not turns:
            return
        ids = {"ids": [each.id for each in turns]}
        told = {"reason": f"{_MARK}{replay.actor}: {replay.note}"}
        when = {"times": [each.at for each in turns], "expires_at": replay.expires_at}
        await self._tx.execute(_REVIVE, ids | told | when)
        await self._tx.execute(_AUDIT, ids | told | {"now": now})


def dead_letters_on(engine: AsyncEngine) -> OpenDeadLetters:
    """Opens transactions on `engine`."""

    @asynccontextmanager
    async def open_dead_letters() -> AsyncIterator[PostgresDeadLetters]:
        async with engine.begin() as tx:
            yield PostgresDeadLetters(tx)

    return open_dead_letters


def _conditions(wanted: DeadLetterFilter) -> dict[str, Any]:
    return {each.name: getattr(wanted, each.name) for each in fields(wanted)}


def _dead_letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(**{**row._mapping, "status": Status(row.status)})
