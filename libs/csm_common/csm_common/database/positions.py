"""Where each consumer stands in each partition, in the same transaction as the effects, fenced by an epoch.

A claim raises the epoch; every later transaction of the previous owner finds no row of its epoch and writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CREATE_POSITIONS = """
CREATE TABLE positions (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    epoch bigint NOT NULL,
    owner text NOT NULL,
    log_id text NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    dead_letters bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50)
"""

_CLAIM = text("""
INSERT INTO positions (consumer, topic, partition, next_offset, epoch, owner, log_id)
SELECT :consumer, t.topic, t.partition, t.start, 1, :owner, t.log_id
FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:starts AS bigint[]), CAST(:log_ids AS text[]))
    AS t(topic, partition, start, log_id)
ORDER BY t.topic, t.partition
ON CONFLICT (consumer, topic, partition)
DO UPDATE SET epoch = positions.epoch + 1, owner = EXCLUDED.owner, updated_at = now()
RETURNING topic, partition, next_offset, epoch, log_id
""")

_LOCK = text("""
SELECT p.topic, p.partition, p.next_offset
FROM positions p
JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:epochs AS bigint[])) AS t(topic, partition, epoch)
  ON p.topic = t.topic AND p.partition = t.partition AND p.epoch = t.epoch
WHERE p.consumer = :consumer
ORDER BY p.topic, p.partition
FOR UPDATE OF p
""")

_ADVANCE = text("""
UPDATE positions p
SET next_offset = t.next_offset, records = p.records + t.records, dead_letters = p.dead_letters + t.dead, updated_at = now()
FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]), CAST(:counts AS bigint[]),
    CAST(:dead AS bigint[])) AS t(topic, partition, next_offset, records, dead)
WHERE p.consumer = :consumer AND p.topic = t.topic AND p.partition = t.partition
""")

_RESTART = text("""
UPDATE positions p SET next_offset = t.start, log_id = t.log_id, updated_at = now()
FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:starts AS bigint[]), CAST(:log_ids AS text[]))
    AS t(topic, partition, start, log_id)
WHERE p.consumer = :consumer AND p.topic = t.topic AND p.partition = t.partition
""")

Partition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class LogStart:
    """The identity of a partition's log (cluster and topic id) and its first offset that is still kept."""

    log_id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition is ours: read from `next_offset`, write under `epoch`. `log_id` is that of the log the offset counts in."""

    next_offset: int
    epoch: int
    log_id: str


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a transaction moves a partition: its new next offset, and how many records and dead letters it counted."""

    next_offset: int
    records: int
    dead_letters: int


def _columns(partitions: Sequence[Partition]) -> dict[str, list[object]]:
    return {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}


async def claim(
    tx: AsyncConnection, consumer: str, owner: str, starts: Mapping[Partition, LogStart]
) -> dict[Partition, Claim]:
    """Take the partitions over; one never seen before begins at its log's start."""
    wanted = list(starts)
    rows = await tx.execute(
        _CLAIM,
        {
            "consumer": consumer,
            "owner": owner,
            "starts": [starts[each].offset for each in wanted],
            "log_ids": [starts[each].log_id for each in wanted],
            **_columns(wanted),
        },
    )
    return {(row.topic, row.partition): Claim(row.next_offset, row.epoch, row.log_id) for row in rows}


async def restart(tx: AsyncConnection, consumer: str, starts: Mapping[Partition, LogStart]) -> None:
    """Begin at the start of a new log: the old one is gone, and its offsets mean nothing any more."""
    wanted = list(starts)
    await tx.execute(
        _RESTART,
        {
            "consumer": consumer,
            "starts": [starts[each].offset for each in wanted],
            "log_ids": [starts[each].log_id for each in wanted],
            **_columns(wanted),
        },
    )


async def lock(tx: AsyncConnection, consumer: str, epochs: Mapping[Partition, int]) -> dict[Partition, int]:
    """The next offset of each partition still ours, its row locked until the transaction ends; those lost are absent."""
    owned = list(epochs)
    rows = await tx.execute(
        _LOCK, {"consumer": consumer, "epochs": [epochs[each] for each in owned], **_columns(owned)}
    )
    return {(row.topic, row.partition): row.next_offset for row in rows}


async def advance(tx: AsyncConnection, consumer: str, moves: Mapping[Partition, Advance]) -> None:
    """Move locked positions on."""
    moved = list(moves)
    await tx.execute(
        _ADVANCE,
        {
            "consumer": consumer,
            "offsets": [moves[each].next_offset for each in moved],
            "counts": [moves[each].records for each in moved],
            "dead": [moves[each].dead_letters for each in moved],
            **_columns(moved),
        },
    )
