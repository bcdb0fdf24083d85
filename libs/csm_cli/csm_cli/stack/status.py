"""How the processes of a stack are, seen from outside: `csm status` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from csm_cli.stack.child import answers
from csm_cli.stack.description import read
from csm_cli.stack.home import Home
from csm_cli.stack.processes import SERVICES, Entry, Processes, key

State = Literal["ready", "running", "not ready", "down"]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process; `running` is said of those that have no readiness probe."""

    name: str
    pid: int
    up_since: datetime | None
    url: str
    state: State

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state in ("ready", "running")


def stack_state(home: Home) -> list[ProcessState]:
    """The processes of the stack in `home`, in the order they were started; empty when no stack is running."""
    entries = Processes(home).entries()
    if not any(entry.process() for entry in entries.values()):
        return []
    urls = _urls(read(home) or {})
    return [_state(entry, urls.get(entry.name, "")) for entry in entries.values()]


def _state(entry: Entry, url: str) -> ProcessState:
    if entry.process() is None:
        return ProcessState(entry.name, entry.pid, None, url, "down")
    state: State = "running"
    if entry.name in SERVICES:
        port = urlsplit(url).port
        state = "ready" if port and answers(port, "/readyz") else "not ready"
    return ProcessState(entry.name, entry.pid, datetime.fromtimestamp(entry.created, UTC), url, state)


def _urls(stack: Mapping[str, Any]) -> dict[str, str]:
    """Where each process is found, without passwords; empty while the stack is starting."""
    if not stack:
        return {}
    database = urlsplit(stack["postgres"]["dsn"])
    return {
        **{name: stack[key(name)]["url"] for name in SERVICES},
        "sinks": stack["mail"]["url"].removesuffix("/mails"),
        "broker": stack["kafka"]["bootstrap"],
        "postgres": f"{database.hostname}:{database.port}",
    }
