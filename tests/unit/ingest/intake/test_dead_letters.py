"""Facts that no reader could use come back as dead letters, and are listed with what never got onto the log."""

import json
from collections.abc import Sequence
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.unit.ingest.door import Door, event
from tests.unit.ingest.intake.product import facts, listed

from csm_common.contracts.topics import CUSTOMER_EVENTS_DEAD_LETTERS
from csm_common.kafka.record import Record
from ingest.application.replays import Selection
from ingest.entrypoints.consumer import DeadLettersConsumer

NO_CONNECTION = cast("AsyncConnection", None)  # tables in memory need none
EVENT = json.dumps(event()).encode()
REFUSED = {
    "dlq-consumer": b"health-score",
    "dlq-code": b"conflicting_id",
    "dlq-reason": b"It says something else.",
}


def letters(*values: bytes | None, headers: dict[str, bytes] = REFUSED) -> list[Record]:
    """Dead letters as they are read."""
    told: Sequence[tuple[str, bytes]] = tuple(headers.items())
    return [
        Record(CUSTOMER_EVENTS_DEAD_LETTERS.name, 0, offset, 0.0, b"acme", value, headers=told)
        for offset, value in enumerate(values)
    ]


async def read(door: Door, records: list[Record]) -> None:
    """A batch of them is read, in a transaction."""
    async with door.store.begin() as work:
        consumer = DeadLettersConsumer(lambda _: work, door.clock)
        outcome = await consumer.handle(NO_CONNECTION, records)
    assert not outcome.dead_letters


async def test_a_letter_is_listed_with_who_refused_it_and_why(door: Door) -> None:
    await read(door, letters(EVENT))

    (row,) = door.rejections
    assert (row.message_id, row.source, row.code) == ("e-1", "urn:acme:app", "conflicting_id")
    assert row.reason == "health-score refused it: It says something else."
    assert (row.body, row.format) == (EVENT, "cloudevents")


async def test_a_letter_that_is_read_again_is_one(door: Door) -> None:
    await read(door, letters(EVENT))
    await read(door, letters(EVENT, EVENT))

    assert len(door.rejections) == 1


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"[" * 90_000, b"[]", b'{"id": "\\u0000"}', b'{"source": 3}']
)
async def test_any_bytes_are_listed(door: Door, value: bytes | None) -> None:
    await read(door, letters(value, headers={"dlq-reason": b"\xff\x00"}))

    (row,) = door.rejections
    assert (row.code, row.source) == ("dead_letter", "unknown")
    assert row.reason.startswith("a reader refused it: ")


async def test_a_letter_may_be_tried_again_and_is_listed_when_it_comes_back(door: Door) -> None:
    await read(door, letters(EVENT))
    report = await door.handlers.replay.run(Selection(), 10)
    assert (report.replayed, [each["id"] for each in facts(door)]) == (1, ["e-1"])
    assert await listed(door) == {}

    await read(door, letters(EVENT))

    assert await listed(door) == {"e-1": "conflicting_id"}
