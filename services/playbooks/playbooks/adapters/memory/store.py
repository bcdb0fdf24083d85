"""The store in memory, and its transactions: one after the other, each taken back as a whole where it raises."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from playbooks.adapters.memory.accounts import MemoryAccounts
from playbooks.adapters.memory.approvals import MemoryApprovals
from playbooks.adapters.memory.crossings import MemoryCrossings, MemoryEntries
from playbooks.adapters.memory.erasures import MemoryErasures
from playbooks.adapters.memory.hands import MemoryFreshness, MemoryHands
from playbooks.adapters.memory.outbox import MemoryAudit, MemoryOutbox
from playbooks.adapters.memory.playbooks import MemoryPlaybooks
from playbooks.adapters.memory.runs import MemoryRuns
from playbooks.adapters.memory.state import State
from playbooks.adapters.memory.switches import MemorySwitches
from playbooks.adapters.memory.tasks import MemoryTasks
from playbooks.adapters.memory.trials import MemoryTrials


class MemoryStore:
    """Implements ports.Store. Outside of a transaction what is written lasts at once."""

    def __init__(self, state: State) -> None:
        self.playbooks = MemoryPlaybooks(state)
        self.switches = MemorySwitches(state)
        self.accounts = MemoryAccounts(state)
        self.crossings = MemoryCrossings(state)
        self.runs = MemoryRuns(state)
        self.hands = MemoryHands(state)
        self.freshness = MemoryFreshness(state)
        self.entries = MemoryEntries(state)
        self.trials = MemoryTrials(state)
        self.tasks = MemoryTasks(state)
        self.approvals = MemoryApprovals(state)
        self.audit = MemoryAudit(state)
        self.erasures = MemoryErasures(state)
        self.outbox = MemoryOutbox(state)


class MemoryDatabase:
    """Implements ports.Transactions, one at a time: PostgreSQL's where nobody is in anybody's way.

    `crash` is raised, once, where the next transaction that would commit commits. `refuses` is called before every commit and
    may raise, as a database refuses a value; `written(table)` tells it what the transaction has changed.
    """

    def __init__(self) -> None:
        self.state = State()
        self.store = MemoryStore(self.state)
        self.crash: BaseException | None = None
        self.refuses: Callable[[], None] = lambda: None
        self._turn = asyncio.Lock()
        self._owner: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryStore]:
        """One transaction. RuntimeError where the task has one open already: it would wait for itself."""
        task = _current_task()
        if self._turn.locked() and self._owner is task:
            raise RuntimeError(
                "this task has a transaction open already: a second one would wait for it for ever"
            )
        async with self._turn:
            self._owner = task
            self.state.journal.begin()
            try:
                yield self.store
                self._before_commit()
            except BaseException:
                self.state.journal.roll_back()
                raise
            else:
                self.state.journal.commit()
            finally:
                self._owner = None

    def written(self, table: str) -> list[Any]:
        """Keys of the rows of a table (its name in State) that the open transaction has changed."""
        return list(self.state.journal.written(getattr(self.state, table)))

    def _before_commit(self) -> None:
        self.refuses()
        if self.crash is not None:
            crash, self.crash = self.crash, None
            raise crash


def _current_task() -> asyncio.Task[Any] | None:
    """None where there is no event loop: nothing in memory ever waits, so coroutines can be driven without one."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
