"""Accounts in memory."""

from collections.abc import Collection, Mapping, Sequence

from csm_common.contracts.health import AccountSnapshot
from playbooks.adapters.memory.state import State
from playbooks.application.model import ReceivedSnapshot, Unsettled


class MemoryAccounts:
    """Implements ports.Accounts."""

    def __init__(self, state: State) -> None:
        self._snapshots = state.snapshots

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known."""
        for each in received:
            known = self._snapshots.get(each.snapshot.account_id)
            if known is None or known.snapshot.revision < each.snapshot.revision:
                self._snapshots.put(each.snapshot.account_id, each)

    async def remove(self, account_ids: Collection[str]) -> None:
        """Forget accounts that are gone."""
        for each in account_ids:
            if each in self._snapshots:
                self._snapshots.drop(each)

    async def newest(self, account_ids: Collection[str]) -> Mapping[str, AccountSnapshot]:
        """The snapshots of those that are known."""
        return {each: self._snapshots[each].snapshot for each in account_ids if each in self._snapshots}

    async def unsettled(self, account_ids: Collection[str]) -> Unsettled:
        """None: transactions come one after the other here."""
        return Unsettled()
