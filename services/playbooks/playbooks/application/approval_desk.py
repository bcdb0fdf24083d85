"""Where people answer the questions of runs. An answer is written under the lock of its run, which is due at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from csm_common.clock import Clock
from csm_common.errors import ConflictError, ForbiddenError, NotFoundError
from playbooks.application.actor import Actor
from playbooks.application.model import Approval, Audited
from playbooks.application.ports import Store, Transactions
from playbooks.domain.interpreter import Said
from playbooks.domain.run import Run

OWNER = "owner"
"""Among those who may answer: the owner of the account."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"


class ApprovalDesk:
    """NotFoundError where there is no such question, ForbiddenError for a person who is not asked, ConflictError where it is
    answered, has expired, or nobody waits for the answer any more.

    A key that names no person may answer: it is the word of its system, and the audit names the key.
    """

    def __init__(
        self, transactions: Transactions, clock: Clock, on_commit: Callable[[], None] = lambda: None
    ) -> None:
        """`on_commit` is told that a run is due."""
        self._transactions = transactions
        self._clock = clock
        self._on_commit = on_commit

    async def answer(self, approval_id: str, said: Said, by: Actor, comment: str | None = None) -> Approval:
        """Say yes or no. The same said again by the same does no harm."""
        now = self._clock.now()
        async with self._transactions.begin() as store:
            known = _found(await store.approvals.find(approval_id), approval_id)
            # The lock is the run's: whoever ends the step, or the run, closes the question under it.
            runs = await store.runs.lock([known.run_id])
            approval = _found(await store.approvals.find(approval_id), approval_id)
            await _require_asked(store, approval, by)
            if (approval.status, approval.answered_by) == (said, str(by)):
                return approval
            run = _waiting(approval, runs, now)
            answered = replace(approval, status=said, answered_at=now, answered_by=str(by), comment=comment)
            await store.approvals.answer(answered)
            await store.runs.update([replace(run, due_at=now)])
            await store.audit.add([_audited(answered, by, now)])
        self._on_commit()
        return answered


def _found(approval: Approval | None, approval_id: str) -> Approval:
    if approval is None:
        raise NotFoundError(f"There is no approval {approval_id!r}; GET /v1/approvals lists them.")
    return approval


async def _require_asked(store: Store, approval: Approval, by: Actor) -> None:
    if by.person is None or by.person in set(approval.by) - {OWNER}:
        return
    owner = await _owner(store, approval.account_id) if OWNER in approval.by else None
    if owner is None or by.person != owner:
        asked = ", ".join(
            f"the owner of {approval.account_id} ({owner or 'nobody'})" if each == OWNER else each
            for each in approval.by
        )
        raise ForbiddenError(f"{by.person} is not asked; it is up to {asked}.", code="not_asked")


async def _owner(store: Store, account_id: str) -> str | None:
    """By the newest snapshot: whoever owns the account now, not whoever did when it was asked."""
    snapshot = (await store.accounts.newest([account_id])).get(account_id)
    owner = None if snapshot is None else snapshot.attributes.get("owner")
    return None if owner is None else str(owner)


def _waiting(approval: Approval, runs: list[Run], now: datetime) -> Run:
    """The run that waits for the answer."""
    if approval.status in ("approved", "rejected"):
        comment = f": {approval.comment}" if approval.comment else ""
        raise ConflictError(
            f"It is {approval.status} already, at {approval.answered_at:{_TIME}} by {approval.answered_by}{comment}",
            code=f"approval_{approval.status}",
        )
    waiting = [run for run in runs if run.awaits == "approval" and run.step == approval.step]
    if now >= approval.expires_at:
        raise ConflictError(
            f"It expired at {approval.expires_at:{_TIME}}, and nobody had answered.", code="approval_expired"
        )
    if not waiting:
        ended = next((f" is {run.status}: {run.reason}" for run in runs if run.ended_at), " has gone on")
        raise ConflictError(
            f"Nobody waits for an answer any more: run {approval.run_id}{ended}.", code="approval_closed"
        )
    return waiting[0]


def _audited(approval: Approval, by: Actor, now: datetime) -> Audited:
    return Audited(
        at=now,
        actor=str(by),
        action=f"approval_{approval.status}",
        subject=f"approval:{approval.id}",
        account_id=approval.account_id,
        detail={
            "run": approval.run_id,
            "playbook": approval.playbook,
            "step": approval.step,
            "comment": approval.comment,
        },
    )
