"""The record of the processes a stack has started: whoever reads it can end exactly those, in order.

Three readers share it: the supervisor on a normal end, the guard when the supervisor was killed, and the
next `csm up` or `csm down` when both were. A pid alone proves nothing, it may belong to somebody else by now:
a process is ours only when its start time is the recorded one.
"""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

from csm_cli.stack.home import Home, write_private

SUPERVISOR = "supervisor"
SERVICES = ("ingest", "health-score", "playbooks", "notifier")
# The source of events first, so that the services behind it work off what it accepted; storage last.
STOP_ORDER = (*SERVICES, "sinks", "broker", "postgres")
STOP_SECONDS = 15.0
SAME_START_SECONDS = 2.0  # readings of one start time differ by the jitter of the machine's boot time


@dataclass(frozen=True, slots=True)
class Entry:
    """One started process. `created` is its start in seconds since 1970, `stop_signal` what ends it well."""

    name: str
    pid: int
    created: float
    stop_signal: int

    def process(self) -> psutil.Process | None:
        """The running process this entry speaks of; None when it has ended or the pid is somebody else's."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) <= SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class Processes:
    """The record of one home, in a file that is replaced at each change. One process writes it at a time."""

    def __init__(self, home: Home) -> None:
        self._file = home.processes_file

    def entries(self) -> dict[str, Entry]:
        """All recorded processes by name, running or not."""
        if not self._file.exists():
            return {}
        return {each["name"]: Entry(**each) for each in json.loads(self._file.read_text(encoding="utf-8"))}

    def add(self, name: str, process: psutil.Process, stop_signal: int) -> None:
        """Record `process` under `name`, in place of an earlier one of that name."""
        entry = Entry(name, process.pid, process.create_time(), int(stop_signal))
        self._write(self.entries() | {name: entry})

    def remove(self, name: str) -> None:
        """Forget the process of that name; it has ended."""
        self._write({key: entry for key, entry in self.entries().items() if key != name})

    def end_all(self) -> list[str]:
        """End every recorded process that still runs, but the supervisor; returns their names in order."""
        entries = self.entries()
        ended = []
        for name in STOP_ORDER:
            process = entries[name].process() if name in entries else None
            if process is not None:
                end(process, entries[name].stop_signal)
                ended.append(name)
        self._write({})
        return ended

    def _write(self, entries: dict[str, Entry]) -> None:
        write_private(self._file, json.dumps([asdict(entry) for entry in entries.values()], indent=2))


def key(name: str) -> str:
    """The name of a service as its module, its database role and its member of stack.json have it."""
    return name.replace("-", "_")


def end(process: psutil.Process, stop_signal: int, seconds: float = STOP_SECONDS) -> None:
    """Ask `process` to end, wait for it, and kill it after `seconds`. psutil never signals a recycled pid."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
        if not _ended_within(process, seconds):
            process.kill()
            _ended_within(process, seconds)


def _ended_within(process: psutil.Process, seconds: float) -> bool:
    # Not psutil's wait: that waits for zombies, too, which some containers never clear away.
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
