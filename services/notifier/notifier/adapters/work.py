"""A unit of work on PostgreSQL: one transaction, and the tables that are used in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.adapters.account_health import PostgresAccountHealth
from notifier.adapters.contact_history import PostgresContactHistory
from notifier.adapters.decisions import PostgresDecisions
from notifier.adapters.digest_rows import PostgresDigestRows
from notifier.adapters.directory import PostgresDirectory
from notifier.adapters.erasures import PostgresErasures
from notifier.adapters.facts import OutboxFacts
from notifier.adapters.notifications import PostgresNotifications
from notifier.adapters.paces import PostgresPaces
from notifier.adapters.responses import PostgresResponses
from notifier.adapters.suppressions import PostgresSuppressions
from notifier.application.ports import OpenWork


@dataclass(frozen=True, slots=True)
class PostgresWork:
    """What can be done in one transaction."""

    tx: AsyncConnection
    directory: PostgresDirectory
    notifications: PostgresNotifications
    paces: PostgresPaces
    history: PostgresContactHistory
    suppressions: PostgresSuppressions
    decisions: PostgresDecisions
    digests: PostgresDigestRows
    health: PostgresAccountHealth
    erasures: PostgresErasures
    facts: OutboxFacts
    responses: PostgresResponses


def work_in(tx: AsyncConnection) -> PostgresWork:
    """The work of a transaction that somebody else has opened and will commit."""
    return PostgresWork(
        tx=tx,
        directory=PostgresDirectory(tx),
        notifications=PostgresNotifications(tx),
        paces=PostgresPaces(tx),
        history=PostgresContactHistory(tx),
        suppressions=PostgresSuppressions(tx),
        decisions=PostgresDecisions(tx),
        digests=PostgresDigestRows(tx),
        health=PostgresAccountHealth(tx),
        erasures=PostgresErasures(tx),
        facts=OutboxFacts(tx),
        responses=PostgresResponses(tx),
    )


def work_on(engine: AsyncEngine) -> OpenWork:
    """Opens transactions on `engine`."""

    @asynccontextmanager
    async def open_work() -> AsyncIterator[PostgresWork]:
        async with engine.begin() as tx:
            yield work_in(tx)

    return open_work
