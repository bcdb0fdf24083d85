"""The queries behind the REST API's lists of tasks, questions and the audit, each on a connection of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.postgres.approvals import APPROVAL_COLUMNS, approval_of
from playbooks.adapters.postgres.store import transient_told
from playbooks.adapters.postgres.tasks import NOTE_COLUMNS, TASK_COLUMNS, task_of
from playbooks.application.model import Approval, Task, TaskNote
from playbooks.application.reads import After
from playbooks.application.task_reads import ApprovalFilter, AuditFilter, AuditLine, TaskFilter, TaskStory

# Only what is asked for stands in a query, so that each combination gets the plan that suits it.
_TASK_CLAUSES = {
    "account_id": "account_id = :account_id",
    "owner": "owner = :owner",
    "unassigned": "(owner IS NULL) = :unassigned",
    "status": "status = :status",
    "playbook": "playbook = :playbook",
    "type": "type = :type",
    "due_before": "due_at < :due_before",
    "overdue": "due_at < :overdue AND status IN ('open', 'snoozed')",
}
_APPROVAL_CLAUSES = {
    "account_id": "account_id = :account_id",
    "playbook": "playbook = :playbook",
    "run_id": "run_id = :run_id",
    "status": "status = :status",
    "by": "by @> ARRAY[:by]::text[]",
}
_AUDIT_CLAUSES = {
    "subject": "subject = :subject",
    "actor": "actor = :actor",
    "who": "string_to_array(actor, ' via ') @> string_to_array(:who, ' via ')"
    " AND actor NOT LIKE 'playbook:%' AND actor <> 'system'",
    "account_id": "account_id = :account_id",
    "action": "action = :action",
    "since": "at >= :since",
    "before": "id < :before",
}
_ALONE = ("playbook:", "system")
"""Who acts through nobody else."""
_AUDIT_COLUMNS = "id, at, actor, action, subject, account_id, detail::text AS detail"

_NOTES = text(f"SELECT {NOTE_COLUMNS} FROM task_notes WHERE task_id = :id ORDER BY id")  # noqa: S608  (our own names)


class PostgresDeskReads:
    """Implements task_reads.DeskReads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tasks(self, wanted: TaskFilter, limit: int, after: After) -> list[Task]:
        """Tasks by due date, the earliest first."""
        given = _given(asdict(wanted))
        following = ["(due_at, id) > (:after_at, :after_id)"] if after else []
        where = _where([*(_TASK_CLAUSES[name] for name in given), *following])
        query = f"SELECT {TASK_COLUMNS} FROM tasks {where} ORDER BY due_at, id LIMIT :limit"  # noqa: S608
        return [task_of(row) for row in await self._rows(query, {**given, **_after(after), "limit": limit})]

    async def task(self, task_id: str) -> TaskStory | None:
        """One task, or None."""
        async with self._connection() as connection:
            query = text(f"SELECT {TASK_COLUMNS} FROM tasks WHERE id = :id")  # noqa: S608
            row = (await connection.execute(query, {"id": task_id})).one_or_none()
            if row is None:
                return None
            notes = await connection.execute(_NOTES, {"id": task_id})
            return TaskStory(task=task_of(row), notes=[TaskNote(**each._mapping) for each in notes])

    async def approvals(self, wanted: ApprovalFilter, limit: int, after: After) -> list[Approval]:
        """Questions, newest first."""
        given = _given(asdict(wanted))
        following = ["(asked_at, id) < (:after_at, :after_id)"] if after else []
        where = _where([*(_APPROVAL_CLAUSES[name] for name in given), *following])
        query = (
            f"SELECT {APPROVAL_COLUMNS} FROM approvals {where} ORDER BY asked_at DESC, id DESC LIMIT :limit"  # noqa: S608
        )
        rows = await self._rows(query, {**given, **_after(after), "limit": limit})
        return [approval_of(row) for row in rows]

    async def approval(self, approval_id: str) -> Approval | None:
        """One question, or None."""
        query = f"SELECT {APPROVAL_COLUMNS} FROM approvals WHERE id = :id"  # noqa: S608
        return next((approval_of(row) for row in await self._rows(query, {"id": approval_id})), None)

    async def audit(self, wanted: AuditFilter, limit: int, before: int | None) -> list[AuditLine]:
        """Lines, newest first."""
        given = _given({**asdict(wanted), "before": before})
        if wanted.actor is not None and not wanted.actor.startswith(_ALONE):
            given["who"] = given.pop("actor")
        where = _where([_AUDIT_CLAUSES[name] for name in given])
        query = f"SELECT {_AUDIT_COLUMNS} FROM audit {where} ORDER BY id DESC LIMIT :limit"  # noqa: S608
        rows = await self._rows(query, {**given, "limit": limit})
        return [AuditLine(**{**row._mapping, "detail": msgspec.json.decode(row.detail)}) for row in rows]

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[Any]:
        async with self._connection() as connection:
            return list(await connection.execute(text(query), dict(values)))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with transient_told():
            async with self._engine.connect() as connection:
                yield connection


def _given(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value is not None}


def _where(clauses: list[str]) -> str:
    return f"WHERE {' AND '.join(clauses)}" if clauses else ""


def _after(after: After) -> dict[str, Any]:
    return {} if after is None else {"after_at": after[0], "after_id": after[1]}
