"""The Kafka door: what records mean, what becomes a dead letter, and what is told after the commit."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import (
    a_crossing,
    a_definition,
    a_snapshot,
    crossing_record,
    crossing_value,
    erasure_value,
    snapshot_record,
    snapshot_value,
)

from csm_common.kafka.record import DeadLetter, Outcome, Record
from playbooks.adapters.memory.store import MemoryDatabase, MemoryStore
from playbooks.application.handlers.definitions import publish
from playbooks.entrypoints.consumer import HealthHandler

TX = cast("AsyncConnection", object())


class Door:
    """The handler over the fake, whose transactions always last."""

    def __init__(self, database: MemoryDatabase, clock: ManualClock) -> None:
        self.database = database
        self.woken = 0
        store = MemoryStore(database.state)
        self.handler = HealthHandler(lambda _: store, clock, on_started=self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def handle(self, *records: Record) -> Outcome:
        outcome = await self.handler.handle(TX, records)
        outcome.committed()
        return outcome


@pytest.fixture
async def door() -> Door:
    database, clock = MemoryDatabase(), ManualClock()
    await publish(database, [a_definition()], clock)
    return Door(database, clock)


def told(letters: Sequence[DeadLetter]) -> list[tuple[int, str, bool]]:
    return [(each.record.offset, each.code, each.poison) for each in letters]


async def test_the_newest_snapshot_of_a_batch_is_kept_as_it_came(door: Door) -> None:
    newer = snapshot_value(a_snapshot(revision=3, score=10.0))
    await door.handle(
        snapshot_record(0, newer),
        snapshot_record(1, snapshot_value(a_snapshot(revision=2))),
        snapshot_record(2, snapshot_value(a_snapshot("beta"))),
    )
    kept = door.database.state.snapshots
    assert {account: each.snapshot.revision for account, each in kept.items()} == {"acme": 3, "beta": 1}
    assert kept["acme"].data in newer


async def test_a_tombstone_forgets_the_account(door: Door) -> None:
    await door.handle(snapshot_record(0, snapshot_value(a_snapshot(revision=7))))
    await door.handle(snapshot_record(1, None))
    assert door.database.state.snapshots == {}


async def test_an_account_that_comes_back_begins_anew(door: Door) -> None:
    await door.handle(snapshot_record(0, snapshot_value(a_snapshot(revision=7))))
    await door.handle(
        snapshot_record(1, snapshot_value(a_snapshot(revision=8))),
        snapshot_record(2, None),
        snapshot_record(3, snapshot_value(a_snapshot(revision=1))),
    )
    assert door.database.state.snapshots["acme"].snapshot.revision == 1


async def test_an_account_that_comes_back_is_newer_even_where_its_tombstone_was_never_seen(
    door: Door,
) -> None:
    await door.handle(snapshot_record(0, snapshot_value(a_snapshot(revision=7))))
    await door.handle(snapshot_record(2, snapshot_value(a_snapshot(revision=8, score=99.0))))
    assert door.database.state.snapshots["acme"].snapshot.score == 99.0


async def test_an_erasure_forgets_what_followed_from_the_account_s_crossings(door: Door) -> None:
    await door.handle(crossing_record(0, crossing_value("c-1", a_crossing())))
    outcome = await door.handle(
        crossing_record(1, erasure_value()), crossing_record(2, crossing_value("c-2", a_crossing("beta")))
    )
    assert outcome.dead_letters == []
    assert [run.account_id for run in door.database.state.runs.values()] == ["beta"]
    assert set(door.database.state.crossings) == {"c-2"}


@pytest.mark.parametrize("together", [True, False])
async def test_what_crosses_before_an_erasure_is_void_and_what_crosses_behind_it_starts_afresh(
    door: Door, together: bool
) -> None:
    records = [
        crossing_record(0, crossing_value("c-1", a_crossing())),
        crossing_record(1, erasure_value()),
        crossing_record(2, crossing_value("c-2", a_crossing())),
    ]
    for batch in [records] if together else [[each] for each in records]:
        await door.handle(*batch)
    assert [run.crossing_id for run in door.database.state.runs.values()] == ["c-2"]


async def test_a_redelivered_erasure_and_one_of_an_unknown_account_change_nothing(door: Door) -> None:
    await door.handle(crossing_record(0, erasure_value()), crossing_record(1, erasure_value()))
    assert door.database.state.runs == {}
    assert door.woken == 0


async def test_a_crossing_starts_a_run_and_wakes_the_ticker(door: Door) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    outcome = await door.handle(crossing_record(0, crossing_value("c-1", a_crossing()), trace))
    assert outcome.dead_letters == []
    assert [run.crossing_id for run in door.database.state.runs.values()] == ["c-1"]
    crossing = door.database.state.crossings["c-1"]
    assert (crossing.crossing, crossing.traceparent) == (a_crossing(), trace)
    assert door.woken == 1


async def test_what_starts_no_run_wakes_nobody(door: Door) -> None:
    await door.handle(crossing_record(0, crossing_value("c-1", a_crossing())))
    await door.handle(
        crossing_record(1, crossing_value("c-2", a_crossing(direction="left"))),
        snapshot_record(0, snapshot_value(a_snapshot())),
    )
    assert [run.status for run in door.database.state.runs.values()] == ["exited"]
    assert door.woken == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b'{"id": 1}',
        crossing_value("c-1", a_crossing()).replace(b'"entered"', b'"sideways"'),
        crossing_value("c-1", a_crossing()).replace(b'"threshold":"at_risk",', b""),
        crossing_value("c-1", a_crossing()).replace(b"acme", b"\xff\xfe"),
    ],
)
async def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(
    door: Door, value: bytes | None
) -> None:
    outcome = await door.handle(
        crossing_record(0, value), crossing_record(1, crossing_value("c-2", a_crossing("beta")))
    )
    assert told(outcome.dead_letters) == [(0, "undecodable", True)]
    assert outcome.dead_letters[0].reason
    assert [run.account_id for run in door.database.state.runs.values()] == ["beta"]


async def test_an_unreadable_snapshot_and_a_tombstone_without_account_are_dead_letters(door: Door) -> None:
    outcome = await door.handle(
        snapshot_record(0, b"[]"),
        snapshot_record(1, None)._replace(key=None),
        snapshot_record(2, None, b"\xff"),
    )
    assert told(outcome.dead_letters) == [(number, "undecodable", True) for number in range(3)]


async def test_what_a_newer_health_score_may_tell_is_set_aside_without_stopping_anything(door: Door) -> None:
    value = crossing_value("c-1", a_crossing()).replace(b"csm.threshold.crossed", b"csm.threshold.moved")
    outcome = await door.handle(crossing_record(0, value), snapshot_record(1, value))
    assert told(outcome.dead_letters) == [(0, "unknown_type", False), (1, "unknown_type", False)]
    assert "csm.threshold.moved is not known" in outcome.dead_letters[0].reason


async def test_it_has_no_timers_and_no_memory(door: Door) -> None:
    await door.handler.claimed(TX, [("health.crossings.v1", 0)])
    door.handler.forget()
    assert door.handler.next_due() is None
    outcome: Any = await door.handler.handle_due(TX, [], START)
    assert outcome.dead_letters == ()
