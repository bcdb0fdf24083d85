"""Runs that go to sleep until there is news: none may be missed that is written in the very moment they are looked at.

A snapshot wakes the runs that wait for it. One whose transaction is still open has looked for them already, perhaps before the
run was written down as waiting, and cannot be read yet: who decides then, decides on old news, and nobody wakes the run. So the
account is locked before it is looked at. News that comes later waits for the lock, and finds a run to wake. Where somebody else
has the lock, news is on its way, and the run looks again soon; so it does for an account that has no row to lock.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from playbooks.application.model import Unsettled
from playbooks.application.ports import Store
from playbooks.domain.interpreter import Decision
from playbooks.domain.run import Run

SOON = timedelta(seconds=5)
"""Longer than most transactions take."""

LATER = timedelta(hours=1)
"""For accounts of which there may never be any news: those that are gone."""

_NONE = Unsettled()


async def settle(store: Store, runs: Sequence[Run]) -> Unsettled:
    """Before the accounts of these runs are looked at: those of which news can be missed."""
    accounts = {run.account_id for run in runs if _waits_for_news(run)}
    return await store.accounts.unsettled(accounts) if accounts else _NONE


def light_sleep(made: Decision, unsettled: Unsettled, now: datetime) -> Decision:
    """The decision, with a run that would sleep through news made to look again."""
    run = made.run
    if run.due_at is None or run.due_at <= now or not _waits_for_news(run):
        return made
    if run.account_id in unsettled.changing:
        look_at = now + SOON
    elif run.account_id in unsettled.unknown:
        look_at = now + (SOON if now - run.started_at < LATER else LATER)
    else:
        return made
    return replace(made, run=replace(run, due_at=min(run.due_at, look_at)))


def _waits_for_news(run: Run) -> bool:
    return run.awaits in ("condition", "hold")
