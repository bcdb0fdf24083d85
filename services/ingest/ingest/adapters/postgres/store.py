"""A unit of work on PostgreSQL: one transaction, and the tables that are used in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.database import outbox
from csm_common.database.outbox import Message
from ingest.adapters.postgres.connecting import connected
from ingest.adapters.postgres.contacts import PostgresContacts
from ingest.adapters.postgres.people import PostgresPeople
from ingest.adapters.postgres.rejections import PostgresRejections

_SEND_AGAIN = "Send the same again, with the same ids: none counts twice."


@dataclass(frozen=True, slots=True)
class PostgresOutbox:
    """The outbox in one transaction."""

    tx: AsyncConnection

    async def add(self, messages: Sequence[Message]) -> None:
        """Messages to be published once it is committed."""
        await outbox.add(self.tx, messages)


@dataclass(frozen=True, slots=True)
class PostgresWork:
    """What can be done in one transaction."""

    people: PostgresPeople
    rejections: PostgresRejections
    contacts: PostgresContacts
    outbox: PostgresOutbox


def work_in(tx: AsyncConnection) -> PostgresWork:
    """The work of a transaction that somebody else has opened and will commit."""
    return PostgresWork(PostgresPeople(tx), PostgresRejections(tx), PostgresContacts(tx), PostgresOutbox(tx))


class PostgresStore:
    """Opens transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresWork]:
        """A transaction; TransientError where the server is away or asks to try again."""
        async with connected(self._engine, _SEND_AGAIN) as tx:
            yield work_in(tx)
