"""Log lines for people: the services write one JSON object a line, servers write text."""

import json
from typing import Any

_MARKS = ("error", "fatal", "critical", "panic")
_NOT_CONTEXT = ("timestamp", "level", "event", "logger", "service", "exception")


def readable(line: str) -> str:
    """A JSON line as `time level event key=value …`, with its traceback below; any other line as it is."""
    entry = _parsed(line)
    if entry is None:
        return line
    context = [f"{name}={value}" for name, value in entry.items() if name not in _NOT_CONTEXT]
    head = " ".join([entry.get("timestamp", ""), entry.get("level", ""), str(entry["event"]), *context])
    return f"{head}\n{entry['exception']}" if entry.get("exception") else head


def last_error(lines: list[str]) -> str:
    """The newest line that tells of an error, else the newest line, without its time; empty when there are none."""
    errors = [line for line in lines if _tells_error(line)]
    line = (errors or lines or [""])[-1]
    entry = _parsed(line)
    if entry is None:
        return line.strip()
    exception = str(entry.get("exception") or "").strip().splitlines()
    return ": ".join([str(entry["event"]), *exception[-1:]])


def _tells_error(line: str) -> bool:
    entry = _parsed(line)
    text = line if entry is None else str(entry.get("level", ""))
    return any(mark in text.lower() for mark in _MARKS)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None
