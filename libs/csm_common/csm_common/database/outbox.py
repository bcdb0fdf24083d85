"""Messages written in the same transaction as the state they tell of; the relay publishes them after the commit.

A row's lane is a hash of its key. A relay works on a lane only while it holds the lane's advisory lock, so the messages of one
key leave in the order they were written, however many replicas run a relay. Rows are deleted once the brokers acknowledge them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.errors import TooLargeError

LANES = 16
MAX_MESSAGE_BYTES = 1_040_000
"""Of key, value and headers together: what the door lets in, a dead letter's headers, and still below the brokers' default."""

_OVERHEAD_BYTES = 1_000  # the content-type header, and how records are framed

CREATE_OUTBOX = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane smallint NOT NULL,
    topic text NOT NULL,
    key bytea,
    value bytea,
    headers text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""

_ADD = text("""
INSERT INTO outbox (lane, topic, key, value, headers)
SELECT * FROM unnest(CAST(:lanes AS smallint[]), CAST(:topics AS text[]), CAST(:keys AS bytea[]), CAST(:values AS bytea[]),
    CAST(:headers AS text[]))
""")

# Lanes are locked by a statement of their own, so that the rows are looked for in a snapshot that is younger than the locks.
# In one statement a lane could come free in the middle of the scan: its later rows would leave before its earlier ones.
_LOCK_LANES = text("""
SELECT lane FROM (SELECT DISTINCT lane FROM (SELECT lane FROM outbox ORDER BY id LIMIT :limit) AS oldest) AS waiting
WHERE pg_try_advisory_xact_lock(hashtext(current_schema()), lane)
""")

_TAKE = text("""
SELECT id, topic, key, value, headers, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age
FROM outbox
WHERE lane = ANY(CAST(:lanes AS smallint[]))
ORDER BY id
LIMIT :limit
FOR UPDATE SKIP LOCKED
""")

_WAITING = text("SELECT EXISTS (SELECT FROM outbox WHERE key = ANY(CAST(:keys AS bytea[])))")

_DELETE = text("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")


@dataclass(frozen=True, slots=True)
class Message:
    """One record to publish. A value of None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that waits, and since how many seconds."""

    id: int
    message: Message
    age: float


def lane_of(key: bytes | None) -> int:
    """0…LANES-1, the same for the same key in every process."""
    return crc32(key or b"") % LANES


async def add(tx: AsyncConnection, messages: Sequence[Message]) -> None:
    """Write messages to be published once `tx` commits, in this order for equal keys.

    TooLargeError for one that no broker would take: it would stay in the outbox for good and hold up the others.
    """
    if not messages:
        return
    for each in messages:
        _check_size(each)
    await tx.execute(
        _ADD,
        {
            "lanes": [lane_of(each.key) for each in messages],
            "topics": [each.topic for each in messages],
            "keys": [each.key for each in messages],
            "values": [each.value for each in messages],
            "headers": [
                msgspec.json.encode(each.headers).decode() if each.headers else None for each in messages
            ],
        },
    )


def _check_size(message: Message) -> None:
    headers = sum(len(name) + len(value.encode()) for name, value in message.headers.items())
    size = len(message.key or b"") + len(message.value or b"") + headers
    if size > MAX_MESSAGE_BYTES - _OVERHEAD_BYTES:
        raise TooLargeError(f"A message of {size} bytes for {message.topic} is larger than the brokers take.")


async def take(tx: AsyncConnection, limit: int) -> list[OutboxRow]:
    """The oldest rows of the lanes that nobody else publishes now; locked until `tx` ends."""
    lanes = list((await tx.execute(_LOCK_LANES, {"limit": limit})).scalars())
    if not lanes:
        return []
    rows = await tx.execute(_TAKE, {"lanes": lanes, "limit": limit})
    return [
        OutboxRow(
            row.id,
            Message(
                row.topic,
                row.key,
                row.value,
                msgspec.json.decode(row.headers, type=dict[str, str]) if row.headers else {},
            ),
            row.age,
        )
        for row in rows
    ]


async def waiting(tx: AsyncConnection, keys: Collection[bytes]) -> bool:
    """Whether a message with one of the keys has not been published yet."""
    return bool(await tx.scalar(_WAITING, {"keys": sorted(keys)}))


async def delete(tx: AsyncConnection, ids: Sequence[int]) -> None:
    """Forget rows that the brokers acknowledged."""
    await tx.execute(_DELETE, {"ids": list(ids)})
