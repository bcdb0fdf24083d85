"""What the handlers need of the outside. All that is written through a Store lasts with its one transaction, or not at all."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from csm_common.contracts.health import AccountSnapshot
from csm_common.database.outbox import Message
from playbooks.application.model import (
    Approval,
    Audited,
    Entry,
    Playbook,
    PlaybookKey,
    ReceivedCrossing,
    ReceivedSnapshot,
    Switch,
    Task,
    TaskNote,
    Unsettled,
)
from playbooks.domain.actions import Assignee
from playbooks.domain.definition import Definition
from playbooks.domain.interpreter import Answer
from playbooks.domain.program import PlainWait
from playbooks.domain.run import Run, StepResult
from playbooks.domain.trial import Trial

RunStep = tuple[str, str]
"""A run's id and the name of a step."""


class Playbooks(Protocol):
    """The immutable versions, and which of them may start runs."""

    async def ship(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        """Put the files of this start in force, as new versions where the content is new: those of names that nobody has
        changed over REST. Files that are gone start no more runs. Returns what is active of them."""
        ...

    async def active(self) -> Sequence[Playbook]:
        """The version of each playbook that starts runs, paused or not, by name."""
        ...

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        """These versions, active or not."""
        ...

    def at_hand(self) -> Collection[Playbook]:
        """Versions that can be had without asking anybody; there may be more."""
        ...


class Switches(Protocol):
    """Which playbooks are paused or archived, and the switch for everything."""

    async def all(self) -> Mapping[str, Switch]:
        """Those that were ever thrown, by name; what is not here is active."""
        ...

    async def throw(self, switch: Switch) -> None:
        """Write it down, whatever it was before."""
        ...


class Accounts(Protocol):
    """The newest snapshot of each account."""

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known."""
        ...

    async def remove(self, account_ids: Collection[str]) -> None:
        """Forget accounts that are gone."""
        ...

    async def newest(self, account_ids: Collection[str]) -> Mapping[str, AccountSnapshot]:
        """The snapshots of those that are known."""
        ...

    async def unsettled(self, account_ids: Collection[str]) -> Unsettled:
        """Those of which news may be on its way. News of the others waits until the transaction ends."""
        ...


class Crossings(Protocol):
    """Every crossing that was handled: known ones have no effect again, and runs refer to them."""

    async def remember(self, received: Sequence[ReceivedCrossing], now: datetime) -> list[ReceivedCrossing]:
        """Write down those that are new and return them, in the order given."""
        ...

    async def load(self, ids: Collection[str]) -> Mapping[str, ReceivedCrossing]:
        """Crossings by id."""
        ...


class Runs(Protocol):
    """Runs and the results of their steps."""

    async def lock_active(self, account_ids: Collection[str]) -> list[Run]:
        """The active runs of the accounts, locked until the transaction ends."""
        ...

    async def starts_since(self, playbooks: Collection[str], since: datetime) -> Mapping[str, int]:
        """How many runs of each playbook were started after `since`."""
        ...

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of the longest due active runs that nobody else has in hand: none of a paused playbook, none that wait for a
        call, none that are suspects."""
        ...

    async def due_suspects(self, now: datetime) -> list[str]:
        """The ids of the due suspects of one group, or none: to be taken apart from all others."""
        ...

    async def end_waits(self, waits: Sequence[PlainWait], now: datetime, limit: int) -> Sequence[datetime]:
        """End up to `limit` of these waits where they are over, all at once and just as the interpreter would; when each was to
        end. A store that is no faster so may end none."""
        ...

    async def take(self, run_ids: Collection[str], now: datetime) -> list[Run]:
        """Those of these runs that are still due, and that nobody else has in hand, locked until the transaction ends."""
        ...

    async def take_calls(self, now: datetime, limit: int) -> list[Run]:
        """The longest due active runs with a call to make (or one that nobody came back from), locked: none of a paused playbook,
        none that somebody else has in hand."""
        ...

    async def lock(self, run_ids: Collection[str]) -> list[Run]:
        """Those of these runs that there are, ended or not, by id, locked until the transaction ends: for people's hands."""
        ...

    async def take_back(self, run_id: str, fence: int) -> list[Run]:
        """This run, locked, if it is still out under the claim with this fence; otherwise none."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next active run of a playbook that is not paused is due, calls among them."""
        ...

    async def add(self, runs: Sequence[Run]) -> None:
        """Write new runs; at most one of an account and purpose may be active."""
        ...

    async def update(self, runs: Sequence[Run]) -> None:
        """Write the new state of locked runs. ConflictError where one becomes active beside another of its purpose."""
        ...

    async def record(self, results: Sequence[StepResult]) -> None:
        """Write step results; each can be written once only."""
        ...

    async def results(self, run_ids: Collection[str]) -> Mapping[str, Mapping[str, StepResult]]:
        """Run → step → what became of it."""
        ...

    async def wake(self, account_ids: Collection[str], now: datetime) -> int:
        """Have the accounts' runs that wait for a condition or are held back looked at now; how many."""
        ...


class Hands(Protocol):
    """What each worker has in hand: written down before it begins, so that a death in the middle is known."""

    async def hold(self, worker: str, runs: Sequence[str], until: datetime) -> None:
        """The worker begins with these, and is done by then or dead."""
        ...

    async def release(self, worker: str) -> None:
        """It is done."""
        ...

    async def abandoned(self, now: datetime) -> Sequence[Sequence[str]]:
        """What the dead had in hand, each hand once; nobody else is told of it."""
        ...

    async def suspect(self, groups: Sequence[Sequence[str]]) -> None:
        """One of these runs may have killed a worker: each group is taken by itself, until its runs have ended a step."""
        ...


class Freshness(Protocol):
    """How old the projection of the accounts can be."""

    async def mark(self, read: Mapping[int, datetime]) -> None:
        """Of each of these partitions all was read that was told by then."""
        ...

    async def oldest(self) -> datetime | None:
        """When the partition that is furthest behind was last up to date; None where none ever was."""
        ...


class Entries(Protocol):
    """What crossings meant for playbooks."""

    async def add(self, entries: Sequence[Entry]) -> None:
        """Write them down."""
        ...


class Trials(Protocol):
    """Entries as the measurement of effects sees them."""

    async def add(self, trials: Sequence[Trial]) -> None:
        """Write them down."""
        ...

    async def update(self, trials: Sequence[Trial]) -> None:
        """Write what has become of them."""
        ...

    async def unfinished(self, account_ids: Collection[str], now: datetime) -> list[Trial]:
        """Trials of the accounts whose goal is open in its window, or that have not recovered."""
        ...

    async def last_entries(self, account_ids: Collection[str]) -> Mapping[tuple[str, str], datetime]:
        """Account and playbook → when it last entered: was held out, or began a run that took a step."""
        ...


class Tasks(Protocol):
    """Tasks of people, with their histories. Whoever locks runs as well locks them first."""

    async def choose(self, assignees: Sequence[Assignee]) -> list[str]:
        """Who gets the next task of each, in this order: whoever has the fewest that are open or snoozed, or whose turn it is."""
        ...

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, Task]:
        """Open each task, or update the open or snoozed one of the same account, type and reason; returns each as it is, by the
        id it was to have.

        One that is asked for again has the new title, run and step, and keeps its owner, its earlier due date and its sleep.
        """
        ...

    async def outcomes(self, run_ids: Collection[str]) -> Mapping[RunStep, tuple[str, str | None]]:
        """Status and outcome of the tasks that the runs' steps asked for."""
        ...

    async def reopen_due(self, now: datetime) -> Sequence[Task]:
        """Open the tasks again that were snoozed until now; those, as they are now."""
        ...

    async def reopen_scored(self, scores: Mapping[str, float], now: datetime) -> Sequence[Task]:
        """Open those again that were snoozed until their account's score is as low as it is now; those, as they are now."""
        ...

    async def find(self, task_id: str) -> Task | None:
        """The task as it is, or None."""
        ...

    async def lock(self, task_id: str) -> Task | None:
        """The task, locked until the transaction ends, or None."""
        ...

    async def write(self, task: Task) -> None:
        """The new state of a locked task. ConflictError where it opens, and the account has another of its type and reason."""
        ...

    async def note(self, notes: Sequence[TaskNote]) -> Sequence[int]:
        """Add to the histories of tasks; a number for each note, in this order, that no other has."""
        ...

    async def last_note(self, task_id: str) -> TaskNote | None:
        """The end of a task's history, None where it has none."""
        ...


class Approvals(Protocol):
    """Questions to people."""

    async def ask(self, approvals: Sequence[Approval]) -> None:
        """Write them down; one that is known stays as it is."""
        ...

    async def answers(self, run_ids: Collection[str]) -> Mapping[RunStep, Answer]:
        """What was said."""
        ...

    async def close(self, run_steps: Collection[RunStep], now: datetime) -> None:
        """Those that nobody has answered have expired."""
        ...

    async def find(self, approval_id: str) -> Approval | None:
        """The question with what was said, or None."""
        ...

    async def answer(self, approval: Approval) -> None:
        """Write what was said to it; its run is locked, so nobody else answers."""
        ...


class Audit(Protocol):
    """Who did what."""

    async def add(self, audited: Sequence[Audited]) -> None:
        """Write it down."""
        ...


class Erasures(Protocol):
    """Everything that is kept of accounts, over all tables."""

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """Delete their crossings with all that followed, and the requests that have not left yet; how many of each kind.

        Their snapshots stay: those end by the tombstone on the topic they come from.
        """
        ...


class Outbox(Protocol):
    """Messages that leave with the commit."""

    async def add(self, messages: Sequence[Message]) -> None:
        """Publish them, in this order for equal keys, once the transaction lasts."""
        ...


class Store(Protocol):
    """All of it in one transaction."""

    @property
    def playbooks(self) -> Playbooks: ...
    @property
    def switches(self) -> Switches: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def crossings(self) -> Crossings: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def hands(self) -> Hands: ...
    @property
    def freshness(self) -> Freshness: ...
    @property
    def entries(self) -> Entries: ...
    @property
    def trials(self) -> Trials: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def outbox(self) -> Outbox: ...


class Transactions(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractAsyncContextManager[Store]:
        """One transaction: commits at the end of the block, rolls back when it raises.

        TransientError while the database is away.
        """
        ...
