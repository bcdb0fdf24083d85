"""What readers ask for: a port of its own, because reading needs no transaction and any replica answers for any account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csm_common.contracts.health import Crossing
from playbooks.application.model import Entry, Task
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run, Status, StepResult

After = tuple[datetime, str] | None
"""Sort key of the last row of the page before: its time and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Runs with these properties; None is any."""

    account_id: str | None = None
    playbook: str | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Tasks with these properties; None is any."""

    account_id: str | None = None
    owner: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """A run and all that is known of it. `exit_crossing` is the one that ended it early."""

    run: Run
    definition: Definition
    crossing: Crossing
    exit_crossing: Crossing | None
    results: Sequence[StepResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookVersion:
    """One version as it is stored; the active one of a name starts runs."""

    name: str
    version: int
    title: str
    active: bool
    hash: str
    created_at: datetime
    definition: Definition


class Reads(Protocol):
    """Queries, newest first. Each raises TransientError while the database is away."""

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[tuple[Run, Definition]]:
        """Runs by start, with what they follow."""
        ...

    async def run(self, run_id: str) -> RunStory | None:
        """One run, or None."""
        ...

    async def tasks(self, wanted: TaskFilter, limit: int, after: After) -> list[Task]:
        """Tasks by creation."""
        ...

    async def task(self, task_id: str) -> Task | None:
        """One task, or None."""
        ...

    async def entries(self, account_id: str | None, limit: int, after: After) -> list[Entry]:
        """Entries by decision; the id in the sort key is that of `entry_key`."""
        ...

    async def playbooks(self) -> list[PlaybookVersion]:
        """All versions, by name and falling version."""
        ...


def entry_key(entry: Entry) -> str:
    """What tells entries of the same instant apart."""
    return f"{entry.crossing_id}/{entry.playbook}"
