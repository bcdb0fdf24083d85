"""What people do to a run by hand: try a failed one again, end it, end the wait it is in. All of it under lock, and audited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from csm_common.clock import Clock
from csm_common.errors import ConflictError, NotFoundError
from csm_common.telemetry import metrics
from playbooks.application.actor import Actor
from playbooks.application.model import Audited
from playbooks.application.ports import Store, Transactions
from playbooks.application.timeline import RunView, run_view
from playbooks.application.wording import counted
from playbooks.domain.interpreter import skip_wait
from playbooks.domain.run import Run, cancel_run, retry_run

OPEN = ("open", "snoozed")

_NO_WAIT = {
    "approval": "Its step {step} waits for a person: POST /v1/approvals/ID:approve or :reject, or cancel the run.",
    "call": "Its step {step} calls an endpoint: that ends by itself, or cancel the run.",
    None: "Its step {step} waits for nothing: it is about to be taken. Ask again, or cancel the run.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """The run afterwards. `changed` is False where it was so already; `told` says what was done."""

    run: RunView
    changed: bool
    told: str


class RunDesk:
    """Acts for `actor` on one run at a time.

    NotFoundError where there is no such run, ConflictError where it is in no state for this, with what to do instead.
    """

    def __init__(self, transactions: Transactions, clock: Clock, wake: Callable[[], None]) -> None:
        """`wake` tells the clock's door that a run may be due."""
        self._transactions = transactions
        self._clock = clock
        self._wake = wake

    async def retry(self, run_id: str, actor: Actor) -> Handled:
        """Take a failed run up again, at the step that failed."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            run = await _locked(store, run_id)
            if run.status == "active":
                return _unchanged(run, "It is active: there is nothing to take up again.")
            if run.status != "failed":
                raise ConflictError(f"Run {run_id} is {run.status}; only a failed one can be tried again.")
            await _require_room(store, run)
            again = retry_run(run, now)
            await store.runs.update([again])
            await store.audit.add([_audited(run, actor, "retried", now, step=run.step, error=run.error)])
        self._wake()
        return Handled(run=run_view(again), changed=True, told=f"It takes step {run.step} up again.")

    async def cancel(self, run_id: str, actor: Actor, reason: str) -> Handled:
        """End an active run. A call that is out for it is refused when it comes back."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            run = await _locked(store, run_id)
            if run.status == "cancelled":
                return _unchanged(run, "It was cancelled before.")
            if run.status != "active":
                raise ConflictError(f"Run {run_id} is {run.status} already: there is nothing left to cancel.")
            [ended], left = await cancel_runs(store, [run], actor, reason, now)
        count_ended([ended])
        told = f"It is cancelled; {counted(left, 'task')} of it stay{'s' if left == 1 else ''} open."
        return Handled(run=run_view(ended), changed=True, told=told)

    async def skip(self, run_id: str, actor: Actor, reason: str, step: str | None = None) -> Handled:
        """End the wait at hand, of `step` if it is named: so a repeated request does not end the next wait, too.

        A plain wait goes on, one for a condition as if it were met; a step that is held back is left out.
        """
        now = self._clock.now()
        async with self._transactions.begin() as store:
            run = await _locked(store, run_id)
            if step is not None and step != run.step and await _was_skipped(store, run, step):
                return _unchanged(run, f"The wait of step {step} was skipped before.")
            _require_wait(run, step)
            program = (await store.playbooks.load([(run.playbook, run.version)]))[
                run.playbook, run.version
            ].program
            made = skip_wait(
                program, replace(run, held=None, held_since=None), f"skipped by {actor}: {reason}", now
            )
            await store.runs.update([made.run])
            await store.runs.record([made.result] if made.result else [])
            done = _audited(run, actor, "skipped", now, step=run.step, awaited=run.awaits, reason=reason)
            await store.audit.add([done])
        count_ended([made.run])
        self._wake()
        return Handled(run=run_view(made.run), changed=True, told=f"The wait of step {run.step} is over.")


async def cancel_runs(
    store: Store, runs: Sequence[Run], actor: Actor, reason: str, now: datetime
) -> tuple[list[Run], int]:
    """End these locked active runs. Nobody is asked for them any more; open tasks of theirs stay and are noted; how many."""
    ended = [cancel_run(run, f"cancelled by {actor}: {reason}", now) for run in runs]
    await store.runs.update(ended)
    await store.approvals.close(
        [(run.id, run.step) for run in runs if run.awaits == "approval" and run.step], now
    )
    tasks = await store.tasks.outcomes([run.id for run in runs])
    left = [run_step for run_step, (status, _) in tasks.items() if status in OPEN]
    await store.audit.add(
        [
            _audited(
                run,
                actor,
                "cancelled",
                now,
                step=run.step,
                reason=reason,
                open_tasks=[step for run_id, step in left if run_id == run.id],
            )
            for run in runs
        ]
    )
    return ended, len(left)


def count_ended(runs: Sequence[Run]) -> None:
    """Those that a committed transaction has ended, for the metrics."""
    for run in runs:
        if run.status != "active":
            metrics.runs_ended.add(1, {"playbook": run.playbook, "outcome": run.status})


async def _locked(store: Store, run_id: str) -> Run:
    found = await store.runs.lock([run_id])
    if not found:
        raise NotFoundError(f"There is no run {run_id!r}; GET /v1/runs lists them.")
    return found[0]


async def _require_room(store: Store, run: Run) -> None:
    active = await store.runs.lock_active([run.account_id])
    other = next((each for each in active if each.purpose == run.purpose), None)
    if other is not None:
        raise ConflictError(
            f"Run {other.id} of {other.playbook} is active for {run.account_id} and serves the same purpose,"
            f" {run.purpose}: cancel it first, or leave this one."
        )


async def _was_skipped(store: Store, run: Run, step: str) -> bool:
    found = (await store.runs.results([run.id])).get(run.id, {}).get(step)
    return found is not None and found.outcome == "skipped"


def _require_wait(run: Run, step: str | None) -> None:
    if run.status != "active":
        raise ConflictError(f"Run {run.id} is {run.status}: it waits for nothing any more.")
    if step is not None and step != run.step:
        raise ConflictError(f"Run {run.id} is at step {run.step}, not at {step}.")
    if run.awaits not in ("time", "condition", "hold"):
        raise ConflictError(
            f"Run {run.id} cannot be skipped on. {_NO_WAIT[run.awaits].format(step=run.step)}"
        )


def _unchanged(run: Run, told: str) -> Handled:
    return Handled(run=run_view(run), changed=False, told=told)


def _audited(run: Run, actor: Actor, action: str, now: datetime, **detail: object) -> Audited:
    return Audited(
        at=now,
        actor=str(actor),
        action=action,
        subject=f"run:{run.id}",
        account_id=run.account_id,
        detail={"playbook": run.playbook, "version": run.version, **detail},
    )
