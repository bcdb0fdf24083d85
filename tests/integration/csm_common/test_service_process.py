"""A service as a process: SIGTERM drains it and it exits 0; when it dies it exits 1, and its log says why in one line."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "tests.support.tiny_service"]


def lines(output: str) -> list[dict[str, Any]]:
    """The log: one JSON object a line, and nothing else."""
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_it(signal_: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, "serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        process.send_signal(signal_)
        output, _ = process.communicate(timeout=60)
    assert (started["event"], started["service"], started["level"]) == ("started", "tiny", "info")
    assert [line["event"] for line in lines(output)] == ["closed", "stopped"]
    assert process.returncode == 0


def test_a_fatal_error_is_one_clear_line() -> None:
    done = subprocess.run([*COMMAND, "fatal"], check=False, capture_output=True, text=True, timeout=60)
    last = lines(done.stdout)[-1]
    assert (last["event"], last["code"], last["level"]) == (
        "The position lies outside the log.",
        "position_lost",
        "error",
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 1


def test_a_bug_leaves_its_traceback() -> None:
    done = subprocess.run([*COMMAND, "bug"], check=False, capture_output=True, text=True, timeout=60)
    last = lines(done.stdout)[-1]
    assert last["level"] == "error"
    assert "ZeroDivisionError: an unexpected thing" in last["exception"]
    assert done.returncode == 1
