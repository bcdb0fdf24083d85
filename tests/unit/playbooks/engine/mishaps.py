"""Transactions in which things go wrong: a statement is refused, or the process dies in the middle of it."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from playbooks.application.model import PlaybookKey, Task
from playbooks.application.ports import Store, Transactions


class KilledError(BaseException):
    """The process dies: nothing may catch this."""


@dataclass
class BadTasks:
    """Opens tasks, but for those of `account`: those raise."""

    tasks: Any
    account: str
    error: BaseException

    async def open(self, tasks: Sequence[Task]) -> Any:
        """As the port has it."""
        if any(task.account_id == self.account for task in tasks):
            raise self.error
        return await self.tasks.open(tasks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tasks, name)


class _Replaced:
    """A store with one part replaced."""

    def __init__(self, store: Store, **parts: object) -> None:
        self._store = store
        self.__dict__ |= parts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass
class BadPlaybooks:
    """Loads versions, but for those of `name`: those raise, as what a newer build has stored may."""

    playbooks: Any
    name: str

    async def load(self, keys: Collection[PlaybookKey]) -> Any:
        """As the port has it."""
        if any(name == self.name for name, _ in keys):
            raise ValueError(f"{self.name} cannot be read")
        return await self.playbooks.load(keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.playbooks, name)


@dataclass
class UnreadableTransactions:
    """Implements Transactions. No version of the playbook `name` can be read."""

    transactions: Transactions
    name: str

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Store]:
        """As the port has it."""
        async with self.transactions.begin() as store:
            yield cast("Store", _Replaced(store, playbooks=BadPlaybooks(store.playbooks, self.name)))


@dataclass
class BadTransactions:
    """Implements Transactions. Whoever opens a task for `account` has `error` raised; `before` is called before each of them."""

    transactions: Transactions
    error: BaseException
    account: str = "acme"
    before: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Store]:
        """As the port has it."""
        self.before()
        async with self.transactions.begin() as store:
            tasks = BadTasks(store.tasks, self.account, self.error)
            yield cast("Store", _Replaced(store, tasks=tasks))
