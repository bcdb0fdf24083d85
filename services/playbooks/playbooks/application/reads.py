"""What readers ask of runs: a port of its own, because reading needs no transaction and any replica answers for any account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.application.model import Approval, Audited, Entry, Switch, Task
from playbooks.domain.definition import Definition
from playbooks.domain.entry import RefusalCode
from playbooks.domain.run import Awaits, Run, Status, StepResult
from playbooks.domain.trial import Trial

After = tuple[datetime, str] | None
"""Sort key of the last row of the page before: its time and its id."""

EntryOutcome = Literal["started", "refused", "held_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Runs with these properties; None is any. `step` is the one at hand, `failed` whether it has failed (and is tried again, or
    ended the run), `started_from` counts, `started_to` does not."""

    account_id: str | None = None
    playbook: str | None = None
    version: int | None = None
    status: Status | None = None
    purpose: str | None = None
    step: str | None = None
    awaits: Awaits | None = None
    held: bool | None = None
    failed: bool | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    crossing_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Entries with these properties; None is any. `since` counts."""

    account_id: str | None = None
    playbook: str | None = None
    outcome: EntryOutcome | None = None
    code: RefusalCode | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """A run and all that is known of it.

    `exit_crossing` is the one that ended it early, `replaced` are the runs of a lower priority whose place it took, `replaced_by`
    is the one that took its own. `last_entry` is when the account entered the playbook before this. `snapshots` are those that
    are still stored, by revision. `tasks` (by id) and `approvals` are those of its steps, `audited` what people did to the run.
    `pause` is the switch that stops it now. `suspected`: a worker died with it in hand.
    """

    run: Run
    definition: Definition
    crossing: Crossing
    exit_crossing: Crossing | None = None
    results: Sequence[StepResult] = ()
    trial: Trial | None = None
    last_entry: datetime | None = None
    replaced: Sequence[Run] = ()
    replaced_by: Run | None = None
    snapshots: Mapping[int, AccountSnapshot] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    approvals: Sequence[Approval] = ()
    audited: Sequence[Audited] = ()
    pause: Switch | None = None
    suspected: bool = False


class Reads(Protocol):
    """Queries, newest first. Each raises TransientError while the database is away."""

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[Run]:
        """Runs by start."""
        ...

    async def count(self, wanted: RunFilter) -> int:
        """How many runs there are of these."""
        ...

    async def run(self, run_id: str) -> RunStory | None:
        """One run, or None."""
        ...

    async def entries(self, wanted: EntryFilter, limit: int, after: After) -> list[Entry]:
        """Entries by decision; the id in the sort key is that of `entry_key`."""
        ...


def entry_key(entry: Entry) -> str:
    """What tells entries of the same instant apart."""
    return f"{entry.crossing_id}/{entry.playbook}"
