"""Erasures in: an account's crossings and all that followed from them are forgotten, and nothing more is sent because of them."""

from collections.abc import Collection, Mapping

from playbooks.application.ports import Store


async def erase_accounts(store: Store, account_ids: Collection[str]) -> Mapping[str, int]:
    """How much of each kind was forgotten. Before the crossings of the same batch: those of the accounts came later."""
    return await store.erasures.of_accounts(account_ids) if account_ids else {}
