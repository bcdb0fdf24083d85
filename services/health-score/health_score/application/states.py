"""The account states of our partitions in memory, the least recently used dropped first."""

from collections import OrderedDict
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.ports import AccountRepository
from health_score.domain.account import AccountState


class States:
    """A cache that one writer changes in place. After a failed transaction it is ahead of the database: `forget` it."""

    def __init__(self, repository: AccountRepository, *, most: int) -> None:
        self._repository = repository
        self._most = most
        self._states: OrderedDict[str, AccountState] = OrderedDict()

    async def take(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """The states of the accounts, from memory or the database; new ones for accounts never seen."""
        missing = [each for each in account_ids if each not in self._states]
        loaded = await self._repository.load(tx, missing) if missing else {}
        taken = {}
        for each in account_ids:
            state = self._states.get(each) or loaded.get(each) or AccountState(each)
            self._states[each] = taken[each] = state
            self._states.move_to_end(each)
        return taken

    def drop(self, account_ids: Collection[str]) -> None:
        """Accounts that are erased in this transaction."""
        for each in account_ids:
            self._states.pop(each, None)

    def trim(self) -> None:
        """Drop what exceeds the limit; between transactions only."""
        while len(self._states) > self._most:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Drop everything."""
        self._states.clear()
