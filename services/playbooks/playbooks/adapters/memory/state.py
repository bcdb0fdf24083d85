"""All tables of the store in memory, with the indexes that its questions need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from csm_common.database.outbox import Message
from playbooks.adapters.memory.tables import Journal, Ordered, Table
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
)
from playbooks.domain.run import Run, StepResult
from playbooks.domain.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A playbook as it is stored. `origin` tells whether a file or a person put it there."""

    playbook: Playbook
    active: bool
    origin: str
    hash: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What a worker has in hand."""

    runs: Sequence[str]
    until: datetime


class State:
    """All tables, and the journal that they share."""

    def __init__(self) -> None:
        self.journal = journal = Journal()
        self.numbers = count(1)
        self.versions: Table[PlaybookKey, Version] = Table(journal)
        self.switches: Table[str, Switch] = Table(journal)
        self.snapshots: Table[str, ReceivedSnapshot] = Table(journal)
        self.crossings: Table[str, ReceivedCrossing] = Table(journal, account=_account_of_crossing)
        self.runs: Table[str, Run] = Table(
            journal, account=lambda run: run.account_id, active=_active_account, pair=active_pair
        )
        self.due: Ordered[str, Run] = Ordered(self.runs, lambda run: run.due_at)
        self.started: Ordered[str, Run] = Ordered(self.runs, lambda run: (run.playbook, run.started_at))
        self.suspects: Table[str, str] = Table(journal)
        self.results: Table[tuple[str, int], StepResult] = Table(journal, run=lambda each: each.run_id)
        self.hands: Table[str, Hand] = Table(journal)
        self.freshness: Table[int, datetime] = Table(journal)
        self.entries: Table[tuple[str, str], Entry] = Table(journal, account=_account)
        self.trials: Table[str, Trial] = Table(journal, account=_account)
        self.tasks: Table[str, Task] = Table(
            journal,
            account=_account,
            pending=pending_identity,
            owner=_owner_of_pending,
            snoozed=lambda task: True if task.status == "snoozed" else None,
            to_do=lambda task: True if task.status in ("open", "snoozed") else None,
        )
        self.notes: Table[int, TaskNote] = Table(journal, task=lambda note: note.task_id)
        self.rotations: Table[tuple[str, ...], int] = Table(journal)
        self.approvals: Table[str, Approval] = Table(
            journal,
            run=lambda each: each.run_id,
            account=_account,
            pending=lambda each: True if each.status == "pending" else None,
        )
        self.audit: Table[int, Audited] = Table(journal)
        self.outbox: Table[int, Message] = Table(journal)

    @property
    def messages(self) -> list[Message]:
        """What is to be published, in the order it was written."""
        return [message for _, message in sorted(self.outbox.items(), key=lambda each: each[0])]


def active_pair(run: Run) -> tuple[str, str] | None:
    """What an account can have one active run of."""
    return (run.account_id, run.purpose) if run.status == "active" else None


def pending_identity(task: Task) -> tuple[str, str, str] | None:
    """What an account can have one task of that is still to be done."""
    return (task.account_id, task.type, task.reason) if task.status in ("open", "snoozed") else None


def _account(row: Any) -> str:
    return str(row.account_id)


def _account_of_crossing(received: ReceivedCrossing) -> str:
    return received.crossing.account_id


def _active_account(run: Run) -> str | None:
    return run.account_id if run.status == "active" else None


def _owner_of_pending(task: Task) -> str | None:
    return task.owner if task.status in ("open", "snoozed") else None
