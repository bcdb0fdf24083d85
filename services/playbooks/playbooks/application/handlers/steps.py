"""The clock's part: takes due runs a step further, each step's effects and its result in one transaction.

Why no lease. Every effect of today's steps is a row (a message in the outbox, a task, a result), so it lasts with the run's
new state or not at all: a crash at any point leaves the run as it was, and the row lock (SKIP LOCKED) keeps two tickers from
the same run. A lease is for effects that no rollback takes back. A step that calls somebody else will have to claim its run in
one transaction, call with none open, and write the result in a second one, fenced by the lease; it must bring that lease along.

Why a batch, and then one by one. A batch shares its commit, and a step that breaks takes the whole batch back. So the runs of a
broken batch are tried again alone: those without fault go on, the one at fault is noted, tried later, and in the end fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from csm_common.telemetry.logs import get_logger
from playbooks.application.messages import (
    Situation,
    notification_id,
    notification_message,
    task_id,
    task_message,
    task_of,
)
from playbooks.application.ports import Store, Transactions
from playbooks.domain.interpreter import Effect, OpenTask, RequestNotification, advance
from playbooks.domain.run import Run, StepResult, note_failure

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Advanced:
    """The runs as a round left them, and when the next one is due (None: no run is active)."""

    runs: Sequence[Run]
    next_due: datetime | None


async def advance_due(
    transactions: Transactions, now: datetime, *, limit: int, retry_after_s: Sequence[float]
) -> Advanced:
    """Take up to `limit` due runs one step further. TransientError while the database is away; then nothing was done."""
    due: list[Run] = []
    try:
        async with transactions.begin() as store:
            due = await store.runs.take_due(now, limit)
            advanced = await _advance(store, due, now)
            return Advanced(advanced, await store.runs.next_due())
    except TransientError:
        raise
    except Exception:
        if not due:
            raise
        log.exception("a batch of steps failed; trying its runs one by one", runs=len(due))
    alone = [await _advance_alone(transactions, run.id, now, retry_after_s) for run in due]
    return Advanced([run for runs in alone for run in runs], now)


async def _advance_alone(
    transactions: Transactions, run_id: str, now: datetime, retry_after_s: Sequence[float]
) -> list[Run]:
    try:
        async with transactions.begin() as store:
            return await _advance(store, await store.runs.take(run_id, now), now)
    except TransientError:
        raise
    except Exception as error:
        async with transactions.begin() as store:
            taken = await store.runs.take(run_id, now)
            noted = [note_failure(run, _sentence(error), retry_after_s, now) for run in taken]
            await store.runs.update(noted)
        for run in noted:
            log.warning("step failed", run=run.id, status=run.status, failures=run.failures, error=run.error)
        return noted


async def _advance(store: Store, runs: Sequence[Run], now: datetime) -> list[Run]:
    situations = await _situations(store, runs)
    taken = [(each, advance(each.playbook.definition, each.run, now)) for each in situations]
    opened = await store.tasks.open(
        [task_of(each, made.effect, now) for each, made in taken if isinstance(made.effect, OpenTask)]
    )
    advanced = [made.run for _, made in taken]
    await store.runs.update(advanced)
    await store.runs.record(
        [_completed(made.result, made.effect, opened) for _, made in taken if made.result]
    )
    await store.outbox.add([_message(each, made.effect, opened, now) for each, made in taken if made.effect])
    return advanced


async def _situations(store: Store, runs: Sequence[Run]) -> list[Situation]:
    playbooks = await store.playbooks.load({(run.playbook, run.version) for run in runs})
    crossings = await store.crossings.load({run.crossing_id for run in runs})
    snapshots = await store.accounts.newest({run.account_id for run in runs})
    situations = []
    for run in runs:
        received = crossings[run.crossing_id]
        # The two topics are not read in step: just after a crossing, its own snapshot can be the newest.
        known = snapshots.get(run.account_id, received.crossing.snapshot)
        newest = max(known, received.crossing.snapshot, key=lambda each: each.revision)
        playbook = playbooks[run.playbook, run.version]
        situations.append(Situation(run=run, playbook=playbook, received=received, snapshot=newest))
    return situations


def _completed(result: StepResult, effect: Effect | None, opened: Mapping[str, str]) -> StepResult:
    """The result with what only its effect can tell."""
    match effect:
        case RequestNotification():
            return replace(result, ref=notification_id(result.run_id, result.step))
        case OpenTask():
            wanted = task_id(result.run_id, result.step)
            found = opened[wanted]
            return replace(result, ref=found, outcome="opened" if found == wanted else "updated")
        case None:
            return result


def _message(situation: Situation, effect: Effect, opened: Mapping[str, str], now: datetime) -> Message:
    match effect:
        case RequestNotification():
            return notification_message(situation, effect)
        case OpenTask(step=step):
            return task_message(situation, step, opened[task_id(situation.run.id, step)], now)


def _sentence(error: Exception) -> str:
    first_line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first_line}"[:500]
