"""`csm import` over real HTTP: nothing is lost, doubled or changed, whatever the door and the process go through."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.importing.command import Command, Ended
from tests.integration.importing.conftest import FAULTY_EVERY, ROWS
from tests.integration.importing.receiver import Receiver
from tests.support.waiting import eventually

FAULTY = ROWS // FAULTY_EVERY
START_S = 60.0  # a process may start slowly on a busy machine
ARGUMENTS = ("data", "--mapping", "mapping.yaml", "--batch", "100")


async def run(home: Path, *more: str) -> Ended:
    return await (await Command.start(home, *ARGUMENTS, *more)).end()


def checkpoint(home: Path) -> dict[str, Any]:
    (path,) = (each for each in (home / "imports").glob("*.json"))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def rejects(home: Path) -> list[dict[str, Any]]:
    (path,) = (home / "imports").glob("*.rejects.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_whole(home: Path, receiver: Receiver, ended: Ended) -> None:
    """The state after a whole import, however it came about."""
    assert ended.code == 0, ended.errors
    assert receiver.conflicts == []
    assert len(receiver.events) == ROWS - FAULTY
    assert [each["line"] for each in rejects(home)] == [
        number * FAULTY_EVERY + 1 for number in range(1, FAULTY + 1)
    ]
    section = checkpoint(home)["tally"]["sections"]["usage"]
    assert (section["rows"], section["accepted"]) == (ROWS, ROWS - FAULTY)
    assert sum(each["rows"] for each in section["rejected"].values()) == FAULTY
    for figure in (ROWS, ROWS - FAULTY, FAULTY):
        assert f"{figure:,}" in ended.output
    assert "quantity must not be negative" in ended.output


async def test_a_set_is_imported_and_again_changes_nothing(home: Path, receiver: Receiver) -> None:
    check_whole(home, receiver, await run(home))
    before = dict(receiver.events)
    check_whole(home, receiver, await run(home))
    assert receiver.events == before


async def test_faults_of_the_door_are_survived(home: Path, receiver: Receiver) -> None:
    receiver.faults.extend(
        ["busy", "hang up", "slow down", "hang up after taking", "busy", "hang up after taking"]
    )
    ended = await run(home)
    check_whole(home, receiver, ended)
    assert "answered 503 (busy: Later)" in ended.errors
    assert receiver.requests == ROWS / 100 + 6


async def test_a_door_that_is_closed_and_opened_again_is_waited_for(home: Path, receiver: Receiver) -> None:
    receiver.holds_from = 8
    command = await Command.start(home, *ARGUMENTS)
    await eventually(lambda: receiver.requests >= 8, START_S)
    receiver.holds_from = None
    await receiver.stop()
    ending = asyncio.create_task(command.end())
    done = len(receiver.events)
    assert 0 < done < ROWS - FAULTY
    await receiver.start()
    check_whole(home, receiver, await ending)


@pytest.mark.parametrize("more", [(), ("--backfill", "--shift-to-now")])
async def test_a_killed_import_goes_on_where_it_stood(
    home: Path, receiver: Receiver, more: tuple[str, ...]
) -> None:
    receiver.holds_from = 12
    command = await Command.start(home, *ARGUMENTS, *more)
    await eventually(lambda: receiver.requests >= 12, START_S)
    await command.kill()
    left = checkpoint(home)
    assert 0 < left["rows"] < ROWS
    assert not left["complete"]

    receiver.holds_from = None
    receiver.admit.set()
    await eventually(lambda: len(receiver.events) >= left["tally"]["sections"]["usage"]["accepted"])
    receiver.requests = 0
    ended = await run(home, *more)
    assert f"going on behind row {left['rows']:,}" in ended.errors
    assert receiver.requests <= (ROWS - left["rows"]) / 100 + 1
    if more:
        accounts = [each["subject"] for each in receiver.of_type("csm.backfill.ended")]
        assert sorted(accounts) == [f"acme{number}" for number in range(7)]
        assert checkpoint(home)["shift_s"] == left["shift_s"]
        for each in [each for each, body in receiver.events.items() if b"backfill.ended" in body]:
            del receiver.events[each]
    check_whole(home, receiver, ended)


async def test_ctrl_c_ends_it_well(home: Path, receiver: Receiver) -> None:
    receiver.holds_from = 6
    command = await Command.start(home, *ARGUMENTS)
    await eventually(lambda: receiver.requests >= 6, START_S)
    ended = await command.interrupt()
    assert ended.code == 130
    assert "goes on behind the last acknowledged row" in ended.errors
    receiver.holds_from = None
    receiver.admit.set()
    check_whole(home, receiver, await run(home))


async def test_a_file_without_a_column_ends_it_before_anything_is_sent(
    home: Path, receiver: Receiver
) -> None:
    (home / "data" / "usage_old.csv").write_text("account,at,feature\n", encoding="utf-8")
    ended = await run(home)
    assert (ended.code, ended.errors.count("\n")) == (1, 1)
    assert (
        "usage_old.csv: Section usage reads a column 'amount', which the file does not have" in ended.errors
    )
    assert receiver.requests == 0


async def test_files_that_no_section_reads_are_named(home: Path) -> None:
    (home / "data" / "notes.txt").touch()
    ended = await run(home, "--limit", "10")
    assert ended.code == 0
    assert "no section of the mapping reads: notes.txt" in ended.output


async def test_a_backfill_that_cannot_be_ended_fails_the_command(home: Path, receiver: Receiver) -> None:
    receiver.refuses_type = "csm.backfill.ended"
    ended = await run(home, "--limit", "10", "--backfill")
    assert ended.code == 1
    assert "The backfill of 7 accounts was not ended: not wanted" in ended.output


async def test_rejected_rows_can_fail_the_command(home: Path) -> None:
    assert (await run(home, "--strict")).code == 3


async def test_a_wrong_key_ends_it_with_a_sentence(home: Path, receiver: Receiver) -> None:
    ended = await run(home, "--url", receiver.url, "--key", "csm_wrong")
    assert ended.code == 1
    assert "answered 401 (unauthenticated: No such key). Give a valid API key." in ended.errors
    assert receiver.requests <= 4


async def test_an_address_without_a_key_ends_it_with_a_sentence(home: Path, receiver: Receiver) -> None:
    ended = await run(home, "--url", receiver.url)
    assert (ended.code, ended.errors.count("\n")) == (1, 1)
    assert "Give an API key with --key or CSM_API_KEY" in ended.errors


async def test_no_stack_ends_it_with_a_sentence(home: Path) -> None:
    (home / "stack.json").unlink()
    ended = await run(home)
    assert (ended.code, ended.errors.count("\n")) == (1, 1)
    assert "Start one with `csm up`" in ended.errors


async def test_a_dry_run_sends_nothing(home: Path, receiver: Receiver) -> None:
    ended = await run(home, "--dry-run")
    assert ended.code == 0
    assert f"{ROWS - FAULTY:,}" in ended.output
    assert receiver.requests == 0
    assert list((home / "imports").glob("*[!s].json")) == []


async def test_a_shift_is_kept_from_the_first_request_on(home: Path, receiver: Receiver) -> None:
    receiver.holds_from = 1
    command = await Command.start(home, *ARGUMENTS, "--shift-to-now")
    await eventually(lambda: receiver.requests >= 1, START_S)
    await command.kill()
    assert checkpoint(home)["rows"] == 0
    shift = checkpoint(home)["shift_s"]
    receiver.holds_from = None
    receiver.admit.set()
    check_whole(home, receiver, await run(home, "--shift-to-now"))
    assert checkpoint(home)["shift_s"] == shift


async def test_a_shift_is_kept_for_the_next_import(home: Path, receiver: Receiver) -> None:
    await run(home, "--shift-to-now")
    first = dict(receiver.events)
    await run(home, "--shift-to-now")
    assert receiver.events == first
