"""What the door notes of sources adds up, stays small, and reaches the table once it can."""

import asyncio
from datetime import timedelta

import pytest
from tests.support.clock import START, ManualClock
from tests.support.waiting import eventually
from tests.unit.ingest.sources.fakes import MemorySources

from csm_common.errors import TransientError
from ingest.application.source_health import MINUTE, rate
from ingest.application.sources import OTHER, SourceTally
from ingest.entrypoints.pollers import SourceFlush, prune_poller

SECOND = timedelta(seconds=1)


def violate(tally: SourceTally, name: str, example: str = "4") -> None:
    """Break a rule."""
    tally.violated("crm", name, "$.id", "type", example, START)


def test_notes_of_one_minute_are_one_row() -> None:
    tally = SourceTally()
    tally.note("crm", at=START + 5 * SECOND, accepted=2, late=1, skew_s=1.5)
    tally.note("crm", at=START + 3 * SECOND, duplicates=1, rejected=4, held=1)
    tally.note("crm", at=START + MINUTE, accepted=1)

    (first, second), violations = tally.take()

    assert (first.source, first.minute, first.last_event_at) == ("crm", START, START + 5 * SECOND)
    assert (first.accepted, first.duplicates, first.rejected, first.held, first.late) == (2, 1, 4, 1, 1)
    assert first.skew_s == 1.5
    assert (second.minute, second.skew_s) == (START + MINUTE, None)
    assert violations == []
    assert tally.take() == ([], [])


def test_violations_add_up_and_keep_the_last_example() -> None:
    tally = SourceTally()
    violate(tally, "Report Viewed")
    violate(tally, "Report Viewed", "x" * 9_000)

    _, (violation,) = tally.take()

    assert (violation.times, violation.example) == (2, "x" * 500)


def test_sources_beyond_the_bound_are_counted_together() -> None:
    tally = SourceTally(max_sources=2)
    for name in ("a", "b", "c", "d", "a"):
        tally.note(name, at=START, accepted=1)

    minutes, _ = tally.take()

    assert {each.source: each.accepted for each in minutes} == {"a": 2, "b": 1, OTHER: 2}


def test_minutes_beyond_the_bound_are_counted_together_when_nobody_takes_them() -> None:
    tally = SourceTally(max_minutes=3)
    for number in range(5):
        for name in ("a", "b"):
            tally.note(name, at=START + number * MINUTE, accepted=1)

    minutes, _ = tally.take()

    assert sum(each.accepted for each in minutes) == 10
    assert len(minutes) <= 3 + 5  # at most one row of the others a minute
    assert [each.source for each in minutes].count(OTHER) == 4


def test_violations_beyond_the_bound_are_counted_together() -> None:
    tally = SourceTally(max_violations=2)
    for name in ("a", "b", "c", "d", "a"):
        violate(tally, name)

    _, violations = tally.take()

    assert {each.name: each.times for each in violations} == {"a": 2, "b": 1, OTHER: 2}


def test_names_that_no_table_holds_do_not_keep_the_others_out() -> None:
    tally = SourceTally()
    tally.note("a\x00b\ud800" + "c" * 1_000, at=START, accepted=1)
    violate(tally, "d\x00", "e\x00")

    (minute,), (violation,) = tally.take()

    assert minute.source == "a\ufffdb?" + "c" * 496
    assert (violation.name, violation.example) == ("d\ufffd", "e\ufffd")


async def test_a_flush_writes_what_was_noted() -> None:
    tally, sources = SourceTally(), MemorySources()
    tally.note("crm", at=START, accepted=2)
    violate(tally, "Report Viewed")

    await SourceFlush(tally, sources).round()
    await SourceFlush(tally, sources).round()

    assert sources.minutes["crm", START].accepted == 2
    assert [each.times for each in sources.reports.values()] == [1]


async def test_what_cannot_be_written_is_kept_and_added_to() -> None:
    tally, sources = SourceTally(), MemorySources()
    tally.note("crm", at=START + SECOND, accepted=2, duplicates=3, rejected=4, held=5, late=1, skew_s=2.0)
    violate(tally, "Report Viewed")
    sources.away = True
    with pytest.raises(TransientError):
        await SourceFlush(tally, sources).round()
    sources.away = False
    tally.note("crm", at=START, accepted=1)
    violate(tally, "Report Viewed")

    await SourceFlush(tally, sources).round()

    row = sources.minutes["crm", START]
    assert (row.accepted, row.duplicates, row.rejected, row.held, row.late) == (3, 3, 4, 5, 1)
    assert (row.last_event_at, row.skew_s) == (START + SECOND, 2.0)
    assert [each.times for each in sources.reports.values()] == [2]


async def test_the_last_counts_are_written_at_the_end() -> None:
    tally, sources, stop = SourceTally(), MemorySources(), asyncio.Event()
    running = asyncio.create_task(SourceFlush(tally, sources, interval_s=3_600).run(stop))
    tally.note("crm", at=START, accepted=1)
    await eventually(lambda: sources.minutes)
    tally.note("app", at=START, accepted=1)

    stop.set()
    await running

    assert set(sources.minutes) == {("crm", START), ("app", START)}


async def test_old_minutes_are_pruned() -> None:
    tally, sources, stop = SourceTally(), MemorySources(), asyncio.Event()
    tally.note("crm", at=START - timedelta(days=9), accepted=1)
    await SourceFlush(tally, sources).round()
    running = asyncio.create_task(prune_poller([sources], ManualClock()).run(stop))

    await eventually(lambda: not sources.minutes)

    stop.set()
    await running


def test_a_rate_counts_the_oldest_minute_by_the_part_that_lies_within() -> None:
    now = START + 15 * SECOND
    received = {START: 10, START - MINUTE: 20, START - 5 * MINUTE: 100, START - 6 * MINUTE: 1_000}

    assert rate(received, now, 1) == 10 + 0.75 * 20
    assert rate(received, now, 5) == (10 + 20 + 0.75 * 100) / 5
    assert rate({}, now, 60) == 0
