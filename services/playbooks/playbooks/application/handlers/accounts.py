"""Snapshots in: keep the newest of each account, and have looked at what waits for news of it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from playbooks.application.model import ReceivedSnapshot
from playbooks.application.ports import Store
from playbooks.application.task_history import bring_back_scored


async def keep_accounts(
    store: Store, gone: Collection[str], newest: Sequence[ReceivedSnapshot], now: datetime
) -> int:
    """Forget the accounts that are gone, then keep what is newer; an account that is told anew after it was gone is in both.

    Runs that wait for a condition or are held back become due, tasks that were snoozed until a score come back; how many runs.
    """
    await store.accounts.remove(gone)
    await store.accounts.save(newest)
    scores = {
        each.snapshot.account_id: each.snapshot.score for each in newest if each.snapshot.score is not None
    }
    # Runs before tasks: so does whoever locks both.
    woken = await store.runs.wake([each.snapshot.account_id for each in newest], now)
    await bring_back_scored(store, scores, now)
    return woken
