"""Crossings in: each ends the runs it is an exit of and starts the runs it is a trigger of, once however often it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.application.handlers.desk import Desk, Past
from playbooks.application.model import Playbook, PlaybookKey, ReceivedCrossing
from playbooks.application.ports import Store
from playbooks.domain.entry import FRESH
from playbooks.domain.run import Run

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Changes:
    """The runs a batch of crossings started and those it ended, as they were left (one can be in both), the playbooks that paused
    themselves, and the crossings that were new."""

    started: Sequence[Run] = ()
    ended: Sequence[Run] = ()
    paused: Sequence[str] = ()
    crossings: Sequence[ReceivedCrossing] = ()


async def handle_crossings(store: Store, received: Sequence[ReceivedCrossing], now: datetime) -> Changes:
    """Apply the crossings in the order given; those of one account must be in the order of the log."""
    fresh = await store.crossings.remember(received, now)
    if not fresh:
        return Changes()
    accounts = {each.crossing.account_id for each in fresh}
    known = await store.runs.lock_active(accounts)
    active = await store.playbooks.active()
    versions = await store.playbooks.load({(run.playbook, run.version) for run in known})
    limited = [each.name for each in active if each.definition.limits is not None]
    desk = Desk(
        active=active,
        switches=await store.switches.all(),
        versions=versions,
        runs=known,
        past=await _past(store, known, versions),
        newest=await store.accounts.newest(
            {each.crossing.account_id for each in fresh if now - each.crossing.occurred_at > FRESH}
        ),
        last_entries=await store.trials.last_entries(accounts),
        starts=await store.runs.starts_since(limited, now - HOUR),
        now=now,
    )
    for each in fresh:
        desk.take_in(each)
    # Exits first: the next run of an account and purpose may only be written once the one before has ended.
    await store.runs.update([desk.ended[run.id] for run in known if run.id in desk.ended])
    asking = [(run.id, run.step or "") for run in known if run.id in desk.ended and run.awaits == "approval"]
    if asking:
        await store.approvals.close(asking, now)
    await store.runs.add([desk.ended.get(run.id, run) for run in desk.started])
    await store.entries.add(desk.entries)
    await store.trials.add(desk.trials)
    for switch in desk.thrown:
        await store.switches.throw(switch)
    await store.audit.add(desk.audited)
    return Changes(desk.started, list(desk.ended.values()), [each.name for each in desk.thrown], fresh)


async def _past(store: Store, runs: Sequence[Run], versions: Mapping[PlaybookKey, Playbook]) -> Past:
    """Read only where an exit has a condition."""
    asking = [run for run in runs if asks_at_crossings(versions[run.playbook, run.version])]
    if not asking:
        return Past()
    return Past(
        await store.crossings.load({run.crossing_id for run in asking}),
        await store.runs.results([run.id for run in asking]),
        await store.tasks.outcomes([run.id for run in asking]),
    )


def asks_at_crossings(playbook: Playbook) -> bool:
    """Whether an exit of it is a condition."""
    exits = playbook.definition.exit_when
    return exits is not None and exits.condition is not None
