"""Logs for people, and the line that says why a process died."""

import json

from csm_cli.stack.loglines import last_error, readable

ENTRY = {
    "event": "batch committed",
    "level": "info",
    "timestamp": "2026-11-22T00:00:00Z",
    "service": "ingest",
    "records": 12,
}
TRACEBACK = "Traceback (most recent call last):\n  File …\nValueError: no luck"


def test_a_json_line_reads_as_a_sentence_with_its_context() -> None:
    assert readable(json.dumps(ENTRY)) == "2026-11-22T00:00:00Z info batch committed records=12"


def test_a_traceback_is_shown_below_its_line() -> None:
    line = readable(json.dumps({"event": "crashed", "level": "error", "exception": TRACEBACK}))

    assert line.splitlines()[-1] == "ValueError: no luck"


def test_other_lines_are_shown_as_they_are() -> None:
    for line in ("LOG:  database system is ready", "[1, 2]", '{"no": "event"}', "{broken"):
        assert readable(line) == line


def test_the_last_error_is_the_newest_line_that_tells_of_one() -> None:
    error = json.dumps({"event": "crashed", "level": "error", "exception": TRACEBACK})

    assert last_error([error, json.dumps(ENTRY)]) == "crashed: ValueError: no luck"
    assert last_error(["FATAL:  lock file exists", "LOG:  done"]) == "FATAL:  lock file exists"


def test_without_an_error_the_last_line_must_do() -> None:
    assert last_error(["first", "  second  "]) == "second"
    assert last_error([json.dumps({**ENTRY, "event": "no errors found"})]) == "no errors found"
    assert last_error([]) == ""
