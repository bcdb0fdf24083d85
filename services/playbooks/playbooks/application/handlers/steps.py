"""The clock's part: takes due runs a step further, each step's effects and its result in one transaction.

Why no lease here. Every effect of these steps is a row (a message in the outbox, a task, a question, a result), so it lasts with
the run's new state or not at all: a crash at any point leaves the run as it was, and the row lock (SKIP LOCKED) keeps two workers
from the same run. Calls to others are made in `calls`, under a lease.

Why a batch, and then one by one. A batch shares its commit, and a step that breaks takes the whole batch back. So the runs of a
broken batch are tried again alone: those without fault go on, the one at fault is noted, tried later, and in the end fails.

Why a hand. A step that kills the process leaves no error behind. So what a worker begins is written down before, in a
transaction of its own. What a dead worker leaves is taken in smaller groups, again and again; who is alone in one has failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from csm_common.errors import TransientError
from csm_common.telemetry.logs import get_logger
from playbooks.application.effects import carry_out
from playbooks.application.handlers.sleep import light_sleep, settle
from playbooks.application.model import Playbook, PlaybookKey
from playbooks.application.ports import Store, Transactions
from playbooks.application.view import Holding, situations
from playbooks.domain.calendar import Calendar
from playbooks.domain.interpreter import advance, needs_view
from playbooks.domain.program import plain_waits
from playbooks.domain.run import Run, note_failure

log = get_logger(__name__)

HAND_S = timedelta(seconds=30)
"""No batch takes so long; whoever has not come back by then is dead."""


CROWD = 5_000
"""Plain waits that are ended at once."""

PARTS = 8
"""A dead worker's hand is taken in so many groups: of 500 runs one that kills is alone after three more deaths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How steps are taken: `calendar` for waits and due dates, `hold` for what is not said to an account in trouble, the pauses
    after failed attempts, and how old the projection of the accounts may be (None: as old as it is)."""

    calendar: Calendar = field(default_factory=Calendar)
    hold: Holding | None = None
    retry_after_s: Sequence[float] = (1, 10, 60, 300, 1800)
    max_staleness: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """The runs as a round left them, and when the next one is due (None: no run is active); the instants at which the waits that
    it ended were to end; and since when the news of the accounts has been too old to take any step."""

    runs: Sequence[Run]
    next_due: datetime | None
    waits: Sequence[datetime] = ()
    stale_since: datetime | None = None


async def advance_due(
    transactions: Transactions, now: datetime, rules: Rules, *, worker: str, limit: int
) -> Advanced:
    """Take up to `limit` due runs one step further. TransientError while the database is away; then nothing was done."""
    async with transactions.begin() as store:
        if since := await stale_since(store, rules, now):
            return Advanced([], None, stale_since=since)
        await _look_after_the_dead(store, rules, now)
        due = await store.runs.due_suspects(now) or await store.runs.due(now, limit)
        if len(due) >= limit and (ended := await _end_waits(store, now)):
            return Advanced([], now, ended)
        next_due = None if due else await store.runs.next_due()
        if due:
            await store.hands.hold(worker, due, now + HAND_S)
    if not due:
        return Advanced([], next_due)
    taken = await _advance_batch(transactions, due, now, rules, worker)
    waits = [
        was.wake_at
        for was, run in taken
        if was.awaits == "time" and was.wake_at and run.position > was.position
    ]
    return Advanced([run for _, run in taken], now, waits)


async def _end_waits(store: Store, now: datetime) -> Sequence[datetime]:
    """Where more are due than a batch holds, the plain waits among them first, at once: there is nothing to decide about them."""
    waits = [wait for each in store.playbooks.at_hand() for wait in plain_waits(each.program, each.version)]
    return await store.runs.end_waits(waits, now, CROWD) if waits else ()


async def stale_since(store: Store, rules: Rules, now: datetime) -> datetime | None:
    """Since when the projection is too old to decide on."""
    if rules.max_staleness is None:
        return None
    oldest = await store.freshness.oldest()
    return oldest if oldest is not None and now - oldest > rules.max_staleness else None


async def _look_after_the_dead(store: Store, rules: Rules, now: datetime) -> None:
    for hand in await store.hands.abandoned(now):
        log.warning("a worker died with runs in hand; they are taken in smaller groups", runs=len(hand))
        groups = [hand[part::PARTS] for part in range(PARTS)]
        await store.hands.suspect([each for each in groups if each])
        if len(hand) == 1:
            taken = await store.runs.take(hand, now)
            died = "the worker died in this step"
            await store.runs.update([note_failure(run, died, rules.retry_after_s, now) for run in taken])


Taken = Sequence[tuple[Run, Run]]
"""Runs as they were, and as they are."""


async def _advance_batch(
    transactions: Transactions, due: Sequence[str], now: datetime, rules: Rules, worker: str
) -> Taken:
    try:
        async with transactions.begin() as store:
            taken = await _advance(store, await store.runs.take(due, now), now, rules)
            await store.hands.release(worker)
            return taken
    except TransientError:
        raise
    except Exception:
        log.exception("a batch of steps failed; trying its runs one by one", runs=len(due))
    alone = [await _advance_alone(transactions, run_id, now, rules, worker) for run_id in due]
    return [each for taken in alone for each in taken]


async def _advance_alone(
    transactions: Transactions, run_id: str, now: datetime, rules: Rules, worker: str
) -> Taken:
    async with transactions.begin() as store:
        await store.hands.hold(worker, [run_id], now + HAND_S)
    try:
        async with transactions.begin() as store:
            advanced = await _advance(store, await store.runs.take([run_id], now), now, rules)
            await store.hands.release(worker)
            return advanced
    except TransientError:
        raise
    except Exception as error:
        async with transactions.begin() as store:
            taken = await store.runs.take([run_id], now)
            noted = [note_failure(run, sentence(error), rules.retry_after_s, now) for run in taken]
            await store.runs.update(noted)
            await store.hands.release(worker)
        for run in noted:
            log.warning("step failed", run=run.id, status=run.status, failures=run.failures, error=run.error)
        return list(zip(taken, noted, strict=True))


async def _advance(store: Store, runs: Sequence[Run], now: datetime, rules: Rules) -> Taken:
    playbooks = await load_playbooks(store, runs)
    unsettled = await settle(store, runs)
    looking = [run for run in runs if needs_view(playbooks[run.playbook, run.version].program, run, now)]
    views = await situations(store, looking, playbooks, rules.hold)
    decided = []
    for run in runs:
        program = playbooks[run.playbook, run.version].program
        made = advance(program, run, views.get(run.id), rules.calendar, now)
        decided.append((run, light_sleep(made, unsettled, now)))
    return list(zip(runs, await carry_out(store, decided, views, now), strict=True))


async def load_playbooks(store: Store, runs: Sequence[Run]) -> Mapping[PlaybookKey, Playbook]:
    """The versions that the runs follow."""
    return await store.playbooks.load({(run.playbook, run.version) for run in runs})


def sentence(error: Exception) -> str:
    """An error as a run keeps it."""
    first_line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first_line}"[:500]
