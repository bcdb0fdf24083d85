"""One import from beginning to end: batch by batch, every line accounted for, and honest about how far it came."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import START, ManualClock
from tests.unit.ingest.imports.fakes import MemoryJobs, MemoryTaker
from tests.unit.ingest.imports.test_file import TIME, an_event
from tests.unit.ingest.memory_store import MemoryStore

from csm_common.errors import ConflictError, InvalidError, TooLargeError, TransientError
from ingest.application.budget import Budget
from ingest.application.imports.importing import Importing
from ingest.application.imports.job import (
    ImportInterruptedError,
    ImportJob,
    ImportOrder,
    SenderGoneError,
)
from ingest.application.imports.limits import ImportLimits
from ingest.application.imports.parking import LineParking
from ingest.application.imports.patience import Patience
from ingest.application.imports.run import Surroundings
from ingest.application.ports import Rejection
from ingest.application.sources import SourceTally

AWAY = TransientError("The brokers are away.", code="brokers_unavailable", retry_after=2.0)


@dataclass
class Desk:
    """Importing, and everything it leans on. Time passes only while it waits."""

    limits: ImportLimits = field(default_factory=ImportLimits)
    clock: ManualClock = field(default_factory=ManualClock)
    taker: MemoryTaker = field(default_factory=MemoryTaker)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    store: MemoryStore = field(default_factory=MemoryStore)
    tally: SourceTally = field(default_factory=SourceTally)
    budget: Budget = field(default_factory=lambda: Budget(2**40))
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def run(self, *chunks: bytes | str | timedelta | Exception, **asked: Any) -> ImportJob:
        """Import these chunks; the sender may wait between them, and an exception is what its connection ends with."""
        patience = Patience(
            self.limits.patience_s, sleep=self.sleep, monotonic=lambda: self.clock.now().timestamp()
        )
        parking = LineParking(self.store, self.tally)
        around = Surroundings(self.taker, self.jobs, parking, self.clock, self.limits, patience)

        async def sent() -> AsyncIterator[bytes]:
            for each in chunks:
                if isinstance(each, Exception):
                    raise each
                if isinstance(each, timedelta):
                    self.clock.advance(each)
                    continue
                yield each.encode() if isinstance(each, str) else each

        with self.budget.hold() as hold:
            return await Importing(around).run(ImportOrder(**{"id": "march", **asked}), sent(), hold)

    @property
    def parked(self) -> list[Rejection]:
        """The lines that were kept among the rejections."""
        return list(self.store.tables.rejections.rows.values())

    @property
    def job(self) -> ImportJob:
        """As it is written down."""
        return self.jobs.jobs["march"]


def lines(count: int, **attributes: Any) -> str:
    """So many whole events."""
    return "".join(json.dumps(an_event(id=f"e-{n}", **attributes)) + "\n" for n in range(count))


async def test_a_file_is_sent_on_in_batches_and_accounted_for() -> None:
    desk = Desk()

    job = await desk.run(lines(1_200))

    assert desk.taker.batches == [500, 500, 200]
    assert (job.status, job.format, job.lines, job.accepted, job.rejected) == (
        "done",
        "ndjson",
        1_200,
        1_200,
        0,
    )
    assert job.bytes == len(lines(1_200))
    assert job.ended_at == START
    assert desk.job == job
    assert desk.budget.held == 0


async def test_large_lines_make_smaller_batches() -> None:
    desk = Desk(ImportLimits(batch_bytes=10_000))

    await desk.run(lines(10, data={"text": "x" * 4_000}))

    assert desk.taker.batches == [3, 3, 3, 1]


async def test_the_same_file_again_counts_nothing_twice() -> None:
    desk = Desk()
    first = await desk.run(lines(3), an_event_without_id(), an_event_without_id())
    second = await desk.run(lines(3), an_event_without_id(), an_event_without_id())

    assert (first.accepted, first.duplicates) == (5, 0)
    assert (second.accepted, second.duplicates) == (0, 5)
    assert len(desk.taker.events) == 5


def an_event_without_id() -> str:
    """A line that two of may be told apart by their number only."""
    return json.dumps(an_event(id=...)) + "\n"


async def test_lines_that_are_wrong_are_parked_with_their_number() -> None:
    desk = Desk()

    job = await desk.run(lines(2), "{\n", json.dumps(an_event(id="e-9", subject="")) + "\n", "[]\n")

    assert (job.accepted, job.rejected) == (2, 3)
    assert job.reasons == {"invalid_json": 1, "invalid_subject": 1, "invalid_event": 1}
    parked = [(each.context["line"], each.code, each.body) for each in desk.parked]
    assert parked == [("3", "invalid_json", b"{"), ("5", "invalid_event", b"[]")]
    assert desk.taker.refused == [{"import": "march", "line": "4"}]
    ((minute,), _) = desk.tally.take()
    assert (minute.source, minute.rejected) == ("/import", 2)


async def test_a_file_of_which_nothing_is_taken_is_an_import_all_the_same() -> None:
    desk = Desk()

    job = await desk.run(lines(3, subject=""))

    assert (job.status, job.accepted, job.reasons) == ("done", 0, {"invalid_subject": 3})


async def test_brokers_that_come_back_in_time_are_waited_for() -> None:
    desk = Desk()
    desk.taker.failures = [AWAY] * 4

    job = await desk.run(lines(3))

    assert (job.status, job.accepted) == ("done", 3)
    assert desk.waits == [2.0, 2.0, 2.0, 4.0]


async def test_brokers_that_stay_away_interrupt_it_and_sending_it_again_completes_it() -> None:
    desk = Desk(ImportLimits(batch_lines=2))
    desk.taker.takes = 1

    with pytest.raises(ImportInterruptedError) as interrupted:
        await desk.run(lines(5))

    assert (interrupted.value.code, interrupted.value.retry_after) == ("brokers_unavailable", 2.0)
    assert interrupted.value.job == desk.job
    assert (desk.job.status, desk.job.lines, desk.job.accepted) == ("interrupted", 2, 2)
    assert desk.job.problem == AWAY.message
    assert sum(desk.waits) <= 60

    desk.taker.takes = None
    again = await desk.run(lines(5))
    assert (again.status, again.accepted, again.duplicates) == ("done", 3, 2)


async def test_a_sender_that_hangs_up_interrupts_it() -> None:
    desk = Desk(ImportLimits(batch_lines=2))

    with pytest.raises(SenderGoneError):
        await desk.run(lines(5), SenderGoneError("The sender hung up."))

    assert (desk.job.status, desk.job.accepted, desk.job.problem) == ("interrupted", 4, "The sender hung up.")


async def test_a_file_at_fault_fails_and_tells_how_far_it_came() -> None:
    desk = Desk(ImportLimits(batch_lines=2, max_bytes=600))

    with pytest.raises(TooLargeError) as refused:
        await desk.run(lines(4), lines(4))

    assert refused.value.extra["import"] == desk.job
    assert (desk.job.status, desk.job.accepted) == ("failed", 4)
    assert desk.job.problem == refused.value.message


async def test_a_database_that_stays_away_interrupts_it_even_if_that_cannot_be_written_down() -> None:
    desk = Desk()
    desk.jobs.away = True

    with pytest.raises(ImportInterruptedError):
        await desk.run(lines(3))

    assert desk.job.status == "running"  # as far as the table knows; it is shown as interrupted later


async def test_one_id_is_one_import_at_a_time() -> None:
    desk = Desk()
    await desk.jobs.begin(ImportJob(id="march", started_at=START, updated_at=START))

    with pytest.raises(ConflictError):
        await desk.run(lines(3))
    assert not desk.taker.events


async def test_the_end_of_a_backfill_is_told_once_for_each_account_at_its_newest_time() -> None:
    desk = Desk()
    content = "".join(
        json.dumps(an_event(id=f"e-{n}", subject=account, time=time)) + "\n"
        for n, (account, time) in enumerate(
            [
                ("zenith", TIME),
                ("acme", "2026-03-01T00:00:00Z"),
                ("acme", "2026-03-02T10:00:00+01:00"),
                ("", TIME),
            ]
        )
    )

    await desk.run(content, source="/import/crm", backfill=True)
    await desk.run(content, source="/import/crm", backfill=True)

    ended = [each for each in desk.taker.events.values() if each["type"] == "csm.backfill.ended"]
    assert [(each["subject"], each["time"]) for each in ended] == [
        ("acme", "2026-03-02T10:00:00+01:00"),
        ("zenith", TIME),
    ]
    assert {each["source"] for each in ended} == {"/import/crm"}
    others = [each for each in desk.taker.events.values() if each not in ended]
    assert len(others) == 3
    assert all(each["backfill"] is True for each in others)


async def test_an_interrupted_backfill_is_not_ended() -> None:
    desk = Desk()

    with pytest.raises(SenderGoneError):
        await desk.run(lines(501), SenderGoneError("The sender hung up."), backfill=True)

    assert desk.taker.events
    assert all(each["type"] == "acme.seen" for each in desk.taker.events.values())


async def test_what_has_to_be_remembered_is_bounded_and_counts_against_the_budget() -> None:
    desk = Desk(ImportLimits(memory_bytes=700_000))
    many = "".join(json.dumps(an_event(id=f"e-{n}", subject=f"a-{n}")) + "\n" for n in range(1_000))

    with pytest.raises(TooLargeError, match="too many accounts"):
        await desk.run(many, backfill=True)
    assert desk.job.status == "failed"
    assert (await desk.run(many)).status == "done"


async def test_an_import_waits_for_room_and_gives_up_where_there_is_none() -> None:
    desk = Desk(budget=Budget(5_000_000))

    with desk.budget.hold() as other:
        other.grow(4_000_000)
        with pytest.raises(ImportInterruptedError) as refused:
            await desk.run(lines(1))
    assert refused.value.code == "overloaded"


async def test_a_slow_sender_keeps_the_job_alive() -> None:
    desk = Desk()
    start, rest = lines(1)[:5], lines(1)[5:]

    await desk.run(start, timedelta(seconds=11), rest)

    assert desk.jobs.updates == [START + timedelta(seconds=11)] * 3  # on its way, at the batch, at the end


async def test_damaged_gzip_is_refused_with_what_was_taken() -> None:
    desk = Desk()

    with pytest.raises(InvalidError) as refused:
        await desk.run(b"\x1f\x8b damaged")
    assert refused.value.code == "invalid_gzip"
    assert desk.job.status == "failed"
