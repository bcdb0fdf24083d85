"""What is written, row by row, of a store in memory or on PostgreSQL: tests look at it beside the ports."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.database.outbox import Message
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.adapters.postgres.columns import names_of
from playbooks.application.model import Approval, Audited, Entry, Task
from playbooks.domain.run import Run, StepResult
from playbooks.domain.trial import Trial

RowT = TypeVar("RowT", Run, StepResult, Entry, Task, Approval, Audited, Trial)

_TABLES: dict[type[Any], tuple[str, str, str]] = {
    Run: ("runs", "runs", "started_at, id"),
    StepResult: ("results", "run_steps", "run_id, position"),
    Entry: ("entries", "entries", "decided_at, crossing_id, playbook"),
    Task: ("tasks", "tasks", "id"),
    Approval: ("approvals", "approvals", "asked_at, id"),
    Audited: ("audit", "audit", "id"),
    Trial: ("trials", "trials", "entered_at, id"),
}


class Tables(Protocol):
    """Rows by what they are, in an order that is the same everywhere."""

    async def rows(self, kind: type[RowT]) -> list[RowT]:
        """All of a kind."""
        ...

    async def messages(self) -> list[Message]:
        """What is to be published."""
        ...


class MemoryTables:
    """Implements Tables."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._state = database.state

    async def rows(self, kind: type[RowT]) -> list[RowT]:
        """All of a kind."""
        name, _, order = _TABLES[kind]
        found = list(getattr(self._state, name).values())
        if order == "id" and kind is Audited:
            return found
        keys = order.split(", ")
        return sorted(found, key=lambda row: [getattr(row, key) for key in keys])

    async def messages(self) -> list[Message]:
        """What is to be published."""
        return self._state.messages


class PostgresTables:
    """Implements Tables."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, kind: type[RowT]) -> list[RowT]:
        """All of a kind."""
        _, table, order = _TABLES[kind]
        columns = ", ".join(names_of(kind))
        query = f"SELECT {columns} FROM {table} ORDER BY {order}"
        async with self._engine.connect() as connection:
            return [kind(**_plain(row._mapping)) for row in await connection.execute(text(query))]

    async def messages(self) -> list[Message]:
        """What is to be published."""
        query = text("SELECT topic, key, value, headers FROM outbox ORDER BY id")
        async with self._engine.connect() as connection:
            return [_message(row) for row in await connection.execute(query)]


def _plain(columns: Any) -> dict[str, Any]:
    """Arrays are tuples in our own classes."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()}


def _message(row: Any) -> Message:
    headers = msgspec.json.decode(row.headers) if row.headers else {}
    return Message(row.topic, row.key, row.value, headers)


def by_id(rows: Sequence[Run]) -> dict[str, Run]:
    """Runs by id."""
    return {row.id: row for row in rows}
