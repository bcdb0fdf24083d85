"""What the handlers need of the outside. All that is written through a Store lasts with its one transaction, or not at all."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from csm_common.contracts.health import AccountSnapshot
from csm_common.database.outbox import Message
from playbooks.application.model import Entry, Playbook, PlaybookKey, ReceivedCrossing, ReceivedSnapshot, Task
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run, StepResult


class Playbooks(Protocol):
    """The immutable versions, and which of them may start runs."""

    async def publish(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        """Make exactly these active, as a new version where the content is new; returns their versions."""
        ...

    async def active(self) -> Sequence[Playbook]:
        """The version of each playbook that starts runs."""
        ...

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        """These versions, active or not."""
        ...


class Accounts(Protocol):
    """The newest snapshot of each account."""

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known."""
        ...

    async def remove(self, account_ids: Collection[str]) -> None:
        """Forget accounts that are gone."""
        ...

    async def newest(self, account_ids: Collection[str]) -> Mapping[str, AccountSnapshot]:
        """The snapshots of those that are known."""
        ...


class Crossings(Protocol):
    """Every crossing that was handled: known ones have no effect again, and runs refer to them."""

    async def remember(self, received: Sequence[ReceivedCrossing], now: datetime) -> list[ReceivedCrossing]:
        """Write down those that are new and return them, in the order given."""
        ...

    async def load(self, ids: Collection[str]) -> Mapping[str, ReceivedCrossing]:
        """Crossings by id."""
        ...


class Runs(Protocol):
    """Runs and the results of their steps."""

    async def lock_active(self, account_ids: Collection[str]) -> list[Run]:
        """The active runs of the accounts, locked until the transaction ends."""
        ...

    async def last_starts(self, account_ids: Collection[str]) -> dict[tuple[str, str], datetime]:
        """Account and playbook → when the last run that took a step was started."""
        ...

    async def take_due(self, now: datetime, limit: int) -> list[Run]:
        """The longest due active runs that nobody else has in hand, locked until the transaction ends."""
        ...

    async def take(self, run_id: str, now: datetime) -> list[Run]:
        """This run, locked, if it is still due and nobody else has it in hand; otherwise none."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next active run is due."""
        ...

    async def add(self, runs: Sequence[Run]) -> None:
        """Write new runs; at most one of an account and playbook may be active."""
        ...

    async def update(self, runs: Sequence[Run]) -> None:
        """Write the new state of locked runs."""
        ...

    async def record(self, results: Sequence[StepResult]) -> None:
        """Write step results; each can be written once only."""
        ...


class Entries(Protocol):
    """What crossings meant for playbooks."""

    async def add(self, entries: Sequence[Entry]) -> None:
        """Write them down."""
        ...


class Tasks(Protocol):
    """Tasks of people."""

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Open each task, or update the open one of the same account, type and reason; returns the id each has, by its own."""
        ...


class Erasures(Protocol):
    """Everything that is kept of accounts, over all tables."""

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """Delete their crossings with all that followed, and the requests that have not left yet; how many of each kind.

        Their snapshots stay: those end by the tombstone on the topic they come from.
        """
        ...


class Outbox(Protocol):
    """Messages that leave with the commit."""

    async def add(self, messages: Sequence[Message]) -> None:
        """Publish them, in this order for equal keys, once the transaction lasts."""
        ...


class Store(Protocol):
    """All of it in one transaction."""

    @property
    def playbooks(self) -> Playbooks: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def crossings(self) -> Crossings: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def entries(self) -> Entries: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def outbox(self) -> Outbox: ...


class Transactions(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractAsyncContextManager[Store]:
        """One transaction: commits at the end of the block, rolls back when it raises.

        TransientError while the database is away.
        """
        ...
