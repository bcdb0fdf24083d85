"""Snapshots in: keep the newest of each account, for what later steps say and whom they ask."""

from collections.abc import Collection, Sequence

from playbooks.application.model import ReceivedSnapshot
from playbooks.application.ports import Store


async def keep_accounts(store: Store, gone: Collection[str], newest: Sequence[ReceivedSnapshot]) -> None:
    """Forget the accounts that are gone, then keep what is newer; an account that is told anew after it was gone is in both."""
    await store.accounts.remove(gone)
    await store.accounts.save(newest)
