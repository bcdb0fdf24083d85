"""The store of one transaction, and the transactions themselves."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.database import outbox
from csm_common.database.errors import is_transient
from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from playbooks.adapters.postgres.accounts import PostgresAccounts
from playbooks.adapters.postgres.approvals import PostgresApprovals
from playbooks.adapters.postgres.audit import PostgresAudit
from playbooks.adapters.postgres.crossings import PostgresCrossings
from playbooks.adapters.postgres.entries import PostgresEntries
from playbooks.adapters.postgres.erasures import PostgresErasures
from playbooks.adapters.postgres.freshness import PostgresFreshness
from playbooks.adapters.postgres.hands import PostgresHands
from playbooks.adapters.postgres.playbooks import PlaybookCache, PostgresPlaybooks
from playbooks.adapters.postgres.runs import PostgresRuns
from playbooks.adapters.postgres.switches import PostgresSwitches
from playbooks.adapters.postgres.tasks import PostgresTasks
from playbooks.adapters.postgres.trials import PostgresTrials


class PostgresOutbox:
    """Implements ports.Outbox on the kernel's."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, messages: Sequence[Message]) -> None:
        """Publish them, in this order for equal keys, once the transaction lasts."""
        await outbox.add(self._tx, messages)


class PostgresStore:
    """Implements ports.Store in the transaction it is given."""

    def __init__(self, tx: AsyncConnection, cache: PlaybookCache) -> None:
        self.playbooks = PostgresPlaybooks(tx, cache)
        self.switches = PostgresSwitches(tx)
        self.accounts = PostgresAccounts(tx)
        self.crossings = PostgresCrossings(tx)
        self.runs = PostgresRuns(tx)
        self.hands = PostgresHands(tx)
        self.freshness = PostgresFreshness(tx)
        self.entries = PostgresEntries(tx)
        self.trials = PostgresTrials(tx)
        self.tasks = PostgresTasks(tx)
        self.approvals = PostgresApprovals(tx)
        self.audit = PostgresAudit(tx)
        self.erasures = PostgresErasures(tx)
        self.outbox = PostgresOutbox(tx)


class PostgresTransactions:
    """Implements ports.Transactions."""

    def __init__(self, engine: AsyncEngine, cache: PlaybookCache) -> None:
        self._engine = engine
        self._cache = cache

    def store(self, tx: AsyncConnection) -> PostgresStore:
        """The store of a transaction that somebody else commits."""
        return PostgresStore(tx, self._cache)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresStore]:
        """One transaction: commits at the end of the block, rolls back when it raises.

        TransientError while the database is away.
        """
        with transient_told():
            async with self._engine.begin() as tx:
                yield self.store(tx)


@contextmanager
def transient_told() -> Iterator[None]:
    """Turns the database's bad moments into TransientError."""
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        raise TransientError(
            "The database does not answer right now.", code="database_unavailable"
        ) from error
