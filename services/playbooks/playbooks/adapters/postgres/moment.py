"""Counting in several queries that agree with each other: on one snapshot of the database, over one range of entries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.postgres.store import transient_told
from playbooks.application.measured import (
    Wanted,
)

RANGE = """
playbook = :playbook AND (CAST(:version AS int) IS NULL OR version = :version)
  AND {at} >= coalesce(CAST(:since AS timestamptz), '-infinity') AND {at} < coalesce(CAST(:until AS timestamptz), 'infinity')
"""
"""The condition for what is wanted; `at` is the column that tells when an account entered."""


def asked(wanted: Wanted) -> dict[str, Any]:
    """The parameters of RANGE."""
    return {
        "playbook": wanted.playbook,
        "version": wanted.version,
        "since": wanted.since,
        "until": wanted.until,
    }


@asynccontextmanager
async def moment(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose queries all see the database as it was at the first. TransientError while it is away."""
    with transient_told():
        async with engine.connect() as connection:
            yield await connection.execution_options(isolation_level="REPEATABLE READ")
