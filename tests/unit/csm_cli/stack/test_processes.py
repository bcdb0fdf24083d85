"""Only what is provably ours is ever ended."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import psutil

from csm_cli.stack.home import Home
from csm_cli.stack.processes import STOP_ORDER, Entry, Processes


def this_process() -> Entry:
    return Entry("ingest", os.getpid(), psutil.Process().create_time(), signal.SIGTERM)


def test_a_process_is_known_by_its_pid_and_its_start() -> None:
    process = this_process().process()

    assert process is not None
    assert process.pid == os.getpid()


def test_a_pid_that_belongs_to_a_later_process_is_not_ours() -> None:
    entry = this_process()

    assert replace(entry, created=entry.created - 10).process() is None


def test_a_recycled_pid_is_not_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    processes = Processes(home)
    processes.add("ingest", psutil.Process(), signal.SIGKILL)
    recorded = home.processes_file.read_text(encoding="utf-8")
    created = str(processes.entries()["ingest"].created)
    home.processes_file.write_text(recorded.replace(created, "1000000000.0"), encoding="utf-8")

    assert processes.end_all() == []  # and this very test goes on
    assert processes.entries() == {}


def test_the_record_keeps_the_order_of_starts_over_a_restart(tmp_path: Path) -> None:
    processes = Processes(Home(tmp_path))
    for name in ("postgres", "ingest", "notifier", "ingest"):
        processes.add(name, psutil.Process(), signal.SIGTERM)

    assert list(processes.entries()) == ["postgres", "ingest", "notifier"]


def test_ingest_stops_first_and_the_database_last() -> None:
    assert STOP_ORDER[0] == "ingest"
    assert STOP_ORDER[-2:] == ("broker", "postgres")
