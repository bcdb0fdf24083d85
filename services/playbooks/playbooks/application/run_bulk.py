"""Many runs of a playbook ended at once by a person, a batch in a transaction, so that none holds up the clock for long."""

from dataclasses import dataclass, replace

from csm_common.clock import Clock
from playbooks.application.actor import Actor
from playbooks.application.model import Audited
from playbooks.application.ports import Transactions
from playbooks.application.reads import After, Reads, RunFilter
from playbooks.application.run_desk import cancel_runs, count_ended
from playbooks.domain.run import Run

BATCH = 200
MOST_BATCHES = 25
"""So many at most in one request: 5,000 runs, a few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCancelled:
    """`matched` active runs there were, `cancelled` have been ended, `remaining` are left: ask again where there are some."""

    matched: int
    cancelled: int
    remaining: int
    open_tasks: int
    dry_run: bool


class BulkDesk:
    """Acts for `actor` on all active runs that match."""

    def __init__(
        self,
        transactions: Transactions,
        reads: Reads,
        clock: Clock,
        *,
        batch: int = BATCH,
        most_batches: int = MOST_BATCHES,
    ) -> None:
        self._transactions = transactions
        self._reads = reads
        self._clock = clock
        self._batch = batch
        self._most_batches = most_batches

    async def cancel(self, wanted: RunFilter, actor: Actor, reason: str, *, dry_run: bool) -> BulkCancelled:
        """End the active runs of `wanted`, or only count them. Those that end or begin meanwhile may be counted or not."""
        active = replace(wanted, status="active")
        matched = await self._reads.count(active)
        if dry_run:
            return BulkCancelled(matched=matched, cancelled=0, remaining=matched, open_tasks=0, dry_run=True)
        cancelled = open_tasks = 0
        after: After = None
        for _ in range(self._most_batches):
            found = await self._reads.runs(active, self._batch, after)
            if not found:
                break
            ended, left = await self._cancel_batch(found, actor, reason)
            cancelled, open_tasks = cancelled + ended, open_tasks + left
            after = (found[-1].started_at, found[-1].id)
        remaining = await self._reads.count(active)
        done = BulkCancelled(
            matched=matched, cancelled=cancelled, remaining=remaining, open_tasks=open_tasks, dry_run=False
        )
        await self._note(wanted, actor, reason, done)
        return done

    async def _cancel_batch(self, found: list[Run], actor: Actor, reason: str) -> tuple[int, int]:
        """How many were ended, and how many tasks stay open. What has ended since it was read is left as it is."""
        async with self._transactions.begin() as store:
            locked = await store.runs.lock([run.id for run in found])
            active = [run for run in locked if run.status == "active"]
            ended, left = await cancel_runs(store, active, actor, reason, self._clock.now())
        count_ended(ended)
        return len(ended), left

    async def _note(self, wanted: RunFilter, actor: Actor, reason: str, done: BulkCancelled) -> None:
        """The request itself, beside each run's own line: who asked for so much at once."""
        audited = Audited(
            at=self._clock.now(),
            actor=str(actor),
            action="runs_cancelled",
            subject=f"playbook:{wanted.playbook}",
            detail={
                "reason": reason,
                "version": wanted.version,
                "step": wanted.step,
                "matched": done.matched,
                "cancelled": done.cancelled,
            },
        )
        async with self._transactions.begin() as store:
            await store.audit.add([audited])
