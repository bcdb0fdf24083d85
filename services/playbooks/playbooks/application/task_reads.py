"""What readers ask of tasks, questions and the audit: ports of their own, because reading needs no transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from playbooks.application.model import Approval, ApprovalStatus, Task, TaskNote, TaskStatus
from playbooks.application.reads import After


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Tasks with these properties; None is any. `due_before` does not count; `overdue` is what was due before then and is still
    to be done."""

    account_id: str | None = None
    owner: str | None = None
    unassigned: bool | None = None
    status: TaskStatus | None = None
    playbook: str | None = None
    type: str | None = None
    due_before: datetime | None = None
    overdue: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStory:
    """A task with what was done to it and said of it, oldest first."""

    task: Task
    notes: Sequence[TaskNote]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFilter:
    """Questions with these properties; None is any. `by` is somebody who may answer: a contact id, or `owner`."""

    account_id: str | None = None
    playbook: str | None = None
    run_id: str | None = None
    status: ApprovalStatus | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Lines with these properties; None is any. `actor` is a person or a key through whatever they act, `since` counts."""

    subject: str | None = None
    actor: str | None = None
    account_id: str | None = None
    action: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change or action: who did what to what. `id` grows with each line."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    account_id: str | None
    detail: Mapping[str, Any]


class DeskReads(Protocol):
    """Queries. Each raises TransientError while the database is away."""

    async def tasks(self, wanted: TaskFilter, limit: int, after: After) -> list[Task]:
        """Tasks by due date, the earliest first."""
        ...

    async def task(self, task_id: str) -> TaskStory | None:
        """One task, or None."""
        ...

    async def approvals(self, wanted: ApprovalFilter, limit: int, after: After) -> list[Approval]:
        """Questions, newest first."""
        ...

    async def approval(self, approval_id: str) -> Approval | None:
        """One question, or None."""
        ...

    async def audit(self, wanted: AuditFilter, limit: int, before: int | None) -> list[AuditLine]:
        """Lines, newest first; `before` is the id of the last one of the page before."""
        ...
