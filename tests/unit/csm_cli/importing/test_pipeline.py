"""Every row is accounted for, an interrupted import goes on without a trace of the interruption, a backfill is ended once."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import eventually
from tests.unit.csm_cli.importing.imports import MemorySink, rejected, run_import
from tests.unit.csm_cli.importing.samples import HEADER, USAGE, write_csv

from csm_cli.importing.checkpoint import Checkpoint, CheckpointFile
from csm_cli.importing.dry_run import ContractCheck
from csm_cli.importing.pipeline import IN_FLIGHT
from csm_common.errors import InvalidError

SKIPPING = USAGE.replace("time: at", "time: at\n    skip: [{when: {user: robot}, reason: not a person}]")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """20 rows in two files: identical ones, skipped ones, faulty ones, and ones that ingest will refuse."""
    rows = [f"acme{number % 3},2026-01-{number % 9 + 1:02},f,u,1" for number in range(12)]
    rows += ["acme0,2026-01-01,f,u,1"] * 3 + ["acme0,2026-01-01,f,robot,1", "acme0,never,f,u,1", "short"]
    rows += ["acme7,2026-01-01,banned,u,1", "acme0,2026-01-31,f,u,-5"]
    write_csv(tmp_path / "data" / "usage1.csv", *rows[:9])
    write_csv(tmp_path / "data" / "usage2.csv", *rows[9:])
    return tmp_path / "data"


def no_banned_features(event: dict[str, Any]) -> str | None:
    return "banned" if event["data"].get("feature") == "banned" else None


async def whole(data: Path, sink: MemorySink, **options: Any) -> Checkpoint:
    checkpoint, refused = await run_import(data, sink, text=SKIPPING, **options)
    assert refused == []
    return checkpoint


async def test_rows_read_are_accepted_rejected_or_skipped(data: Path) -> None:
    sink = MemorySink(no_banned_features)
    section = (await whole(data, sink)).tally.sections["usage"]
    assert (section.rows, section.accepted, section.rejected_rows, section.skipped_rows) == (20, 16, 3, 1)
    assert len(set(sink.ids)) == len(sink.events) == 16
    assert section.skipped == {"not a person": 1}
    assert {reason: each.rows for reason, each in section.rejected.items()} == {
        "not_a_time: at": 1,
        "wrong_number_of_fields": 1,
        "refused": 1,
    }


async def test_rejected_rows_are_kept_with_place_reason_and_content(data: Path) -> None:
    await whole(data, MemorySink(no_banned_features))
    told = [
        (each["file"].split("/")[-1], each["line"], each["code"], each["message"]) for each in rejected(data)
    ]
    assert told == [
        ("usage2.csv", 9, "not_a_time", "at is 'never', expected a time as ISO 8601"),
        ("usage2.csv", 10, "wrong_number_of_fields", "the row has 1 fields, the header 5"),
        ("usage2.csv", 11, "refused", "banned"),
    ]
    assert rejected(data)[0]["row"] == dict(
        zip(HEADER.split(","), ["acme0", "never", "f", "u", "1"], strict=True)
    )
    assert rejected(data)[1]["row"] == ["short"]
    assert rejected(data)[1]["section"] == "usage"


async def test_a_second_import_sends_the_same_ids(data: Path) -> None:
    first, second = MemorySink(), MemorySink()
    await whole(data, first)
    await whole(data, second)
    assert second.events == first.events


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
async def test_the_size_of_batches_changes_nothing_else(data: Path, batch: int) -> None:
    reference, sink = MemorySink(no_banned_features), MemorySink(no_banned_features)
    expected = await whole(data, reference)
    found = await whole(data, sink, batch=batch)
    assert found.tally == expected.tally
    assert sorted(sink.ids) == sorted(reference.ids)


@pytest.mark.parametrize("sends", range(6))
@pytest.mark.parametrize("batch", [3, 4])
async def test_an_interrupted_import_goes_on_as_if_nothing_had_been(
    data: Path, sends: int, batch: int
) -> None:
    uninterrupted = MemorySink(no_banned_features)
    expected = await whole(data, uninterrupted)
    expected_rejects = rejected(data)
    CheckpointFile(data.parent / "checkpoint.json").path.unlink()

    first = MemorySink(no_banned_features, fails_after=sends)
    with pytest.raises(ConnectionError):
        await whole(data, first)
    second = MemorySink(no_banned_features)
    found = await whole(data, second, batch=batch)
    assert set(first.ids) | set(second.ids) == set(uninterrupted.ids)
    assert found.tally == expected.tally
    assert rejected(data) == expected_rejects
    assert found.complete


async def test_what_was_acknowledged_is_not_sent_again(data: Path) -> None:
    with pytest.raises(ConnectionError):
        await whole(data, MemorySink(fails_after=3))
    done = CheckpointFile(data.parent / "checkpoint.json").read()
    assert done
    assert done.rows == done.tally.rows == 9
    again = MemorySink()
    await whole(data, again)
    assert len(again.events) == 17 - 9


async def test_a_few_batches_are_in_flight_and_settle_in_order(data: Path) -> None:
    first_answer = asyncio.Event()
    sink = MemorySink(first_answer=first_answer)
    task = asyncio.create_task(whole(data, sink))
    await eventually(lambda: sink.sends == IN_FLIGHT and len(sink.events) >= 3 * (IN_FLIGHT - 1))
    assert (
        CheckpointFile(data.parent / "checkpoint.json").read() is None
    )  # later ones are acknowledged, the first not
    first_answer.set()
    assert (await task).rows == 20
    assert sink.sends > IN_FLIGHT


async def test_a_limit_counts_rows(data: Path) -> None:
    assert (await whole(data, MemorySink(), limit=10)).tally.rows == 10


async def test_a_dry_run_tells_what_ingest_would_refuse_and_leaves_no_checkpoint(data: Path) -> None:
    checkpoint, _ = await run_import(data, ContractCheck(), dry=True)
    refused = checkpoint.tally.sections["usage"].rejected
    assert "quantity must not be negative" in refused["data_invalid"].example
    assert CheckpointFile(data.parent / "checkpoint.json").read() is None


async def test_custom_facts_pass_a_dry_run(data: Path) -> None:
    checkpoint, _ = await run_import(
        data, ContractCheck(), text=USAGE.replace("csm.usage.recorded", "acme.thing.done"), dry=True
    )
    assert "data_invalid" not in checkpoint.tally.sections["usage"].rejected


class TestDamage:
    """A file whose rest cannot be read."""

    async def test_what_could_be_read_is_sent_before_it_is_told(self, tmp_path: Path) -> None:
        rows = "".join(f"acme,2026-01-01,f{number * 7919 % 5003},u,1\n" for number in range(5_000))
        packed = gzip.compress(f"{HEADER}\n{rows}".encode())
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "usage.csv").write_bytes(packed[: len(packed) // 2])
        sink = MemorySink()
        with pytest.raises(InvalidError, match="damaged"):
            await run_import(tmp_path / "data", sink, batch=100)
        left = CheckpointFile(tmp_path / "checkpoint.json").read()
        assert left
        assert left.rows == len(sink.events) > 500
        assert not left.complete


class TestBackfill:
    """The end of history is told per account, once everything is acknowledged."""

    def ended(self, sink: MemorySink) -> dict[str, dict[str, Any]]:
        return {each["subject"]: each for each in sink.events if each["type"] == "csm.backfill.ended"}

    async def test_it_ends_for_every_account_at_its_newest_time(self, data: Path) -> None:
        sink = MemorySink()
        await whole(data, sink, backfill=True)
        ended = self.ended(sink)
        assert {account: each["time"][:10] for account, each in ended.items()} == {
            "acme0": "2026-01-31",
            "acme1": "2026-01-08",
            "acme2": "2026-01-09",
            "acme7": "2026-01-01",
        }
        assert [each["type"] for each in sink.events[-4:]] == ["csm.backfill.ended"] * 4
        assert len({each["data"]["import_id"] for each in ended.values()}) == 1
        assert all(each["backfill"] for each in sink.events[:-4])

    async def test_a_second_import_ends_it_with_the_same_facts(self, data: Path) -> None:
        first, second = MemorySink(), MemorySink()
        await whole(data, first, backfill=True)
        await whole(data, second, backfill=True)
        assert self.ended(first) == self.ended(second)

    async def test_it_is_not_ended_before_all_is_acknowledged_and_then_for_all(self, data: Path) -> None:
        first, second = MemorySink(fails_after=6), MemorySink()
        with pytest.raises(ConnectionError):
            await whole(data, first, backfill=True)
        assert self.ended(first) == {}
        await whole(data, second, backfill=True)
        assert set(self.ended(second)) == {"acme0", "acme1", "acme2", "acme7"}

    async def test_what_ingest_refuses_of_it_is_told(self, data: Path) -> None:
        sink = MemorySink(lambda event: "no" if event["type"] == "csm.backfill.ended" else None)
        _, refused = await run_import(data, sink, text=SKIPPING, backfill=True)
        assert len(refused) == 4
