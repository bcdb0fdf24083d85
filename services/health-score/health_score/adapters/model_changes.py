"""The table of the changes of the model: who writes a scorecard into force, ships one or silences a source appends to it here."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.model_ports import ModelChange

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('health_score.model_changes'))")

_APPEND = text("""
INSERT INTO model_changes (kind, name, version, since, actor, note, outreach, at)
VALUES (:kind, :name, :version, :since, :actor, :note, :outreach, :at) RETURNING number
""")

_SELECT = "SELECT number, kind, name, version, since, actor, note, outreach, at FROM model_changes"
_ALL = text(f"{_SELECT} ORDER BY number")
_BETWEEN = text(f"{_SELECT} WHERE at BETWEEN :start AND :end ORDER BY number")


async def lock(tx: AsyncConnection) -> None:
    """Wait until no other transaction changes the model, so that changes are numbered one after the other."""
    await tx.execute(_LOCK)


async def append(tx: AsyncConnection, change: ModelChange) -> int:
    """Write a change down, under the lock; the number the database gives it, whatever its own says."""
    number: int = await tx.scalar(_APPEND, asdict(change))
    return number


async def read(tx: AsyncConnection) -> list[ModelChange]:
    """All changes so far, oldest first."""
    return [ModelChange(**row._mapping) for row in await tx.execute(_ALL)]


async def read_between(tx: AsyncConnection, start: datetime, end: datetime) -> list[ModelChange]:
    """The changes at start ≤ t ≤ end, oldest first."""
    return [ModelChange(**row._mapping) for row in await tx.execute(_BETWEEN, {"start": start, "end": end})]
