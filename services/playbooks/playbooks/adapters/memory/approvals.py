"""Approvals in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from playbooks.adapters.memory.state import State
from playbooks.application.model import Approval
from playbooks.application.ports import RunStep
from playbooks.domain.interpreter import Answer


class MemoryApprovals:
    """Implements ports.Approvals."""

    def __init__(self, state: State) -> None:
        self._approvals = state.approvals

    async def ask(self, approvals: Sequence[Approval]) -> None:
        """Write them down; one that is known stays as it is."""
        for each in approvals:
            if each.id not in self._approvals:
                self._approvals.put(each.id, each)

    async def answers(self, run_ids: Collection[str]) -> Mapping[RunStep, Answer]:
        """What was said."""
        return {
            (each.run_id, each.step): Answer(
                said=each.status, by=each.answered_by or "", comment=each.comment
            )
            for run_id in set(run_ids)
            for each in self._approvals.find("run", run_id)
            if each.status in ("approved", "rejected")
        }

    async def close(self, run_steps: Collection[RunStep], now: datetime) -> None:
        """Those that nobody has answered have expired."""
        wanted = set(run_steps)
        for run_id in {each for each, _ in wanted}:
            for each in self._approvals.find("run", run_id):
                if (run_id, each.step) in wanted and each.status == "pending":
                    self._approvals.put(each.id, replace(each, status="expired", answered_at=now))

    async def find(self, approval_id: str) -> Approval | None:
        """The question with what was said, or None."""
        return self._approvals.get(approval_id)

    async def answer(self, approval: Approval) -> None:
        """Write what was said to it."""
        self._approvals.put(approval.id, approval)
