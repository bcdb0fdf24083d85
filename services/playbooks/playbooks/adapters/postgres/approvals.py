"""The table `approvals`: questions of runs to people, and what they said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import names_of
from playbooks.application.model import Approval
from playbooks.application.ports import RunStep
from playbooks.domain.interpreter import Answer

_NAMES = names_of(Approval)
APPROVAL_COLUMNS = ", ".join(_NAMES)

_ASK = text(f"""
INSERT INTO approvals ({APPROVAL_COLUMNS}) VALUES ({", ".join(f":{name}" for name in _NAMES)}) ON CONFLICT (id) DO NOTHING
""")  # noqa: S608  (names of our own fields, here and below)

_ANSWERS = text("""
SELECT run_id, step, status, answered_by, comment FROM approvals
WHERE run_id = ANY(CAST(:run_ids AS text[])) AND status IN ('approved', 'rejected')
""")

_CLOSE = text("""
UPDATE approvals SET status = 'expired', answered_at = :now
FROM unnest(CAST(:run_ids AS text[]), CAST(:steps AS text[])) AS t (run_id, step)
WHERE approvals.run_id = t.run_id AND approvals.step = t.step AND status = 'pending'
""")

_FIND = text(f"SELECT {APPROVAL_COLUMNS} FROM approvals WHERE id = :id")  # noqa: S608

_ANSWER = text("""
UPDATE approvals SET status = :status, answered_at = :answered_at, answered_by = :answered_by, comment = :comment WHERE id = :id
""")


def approval_of(row: Row[Any]) -> Approval:
    """The approval in a row of APPROVAL_COLUMNS."""
    return Approval(**{**row._mapping, "by": tuple(row.by)})


class PostgresApprovals:
    """Implements ports.Approvals."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def ask(self, approvals: Sequence[Approval]) -> None:
        """Write them down; one that is known stays as it is."""
        if approvals:
            await self._tx.execute(_ASK, [{**asdict(each), "by": list(each.by)} for each in approvals])

    async def answers(self, run_ids: Collection[str]) -> Mapping[RunStep, Answer]:
        """What was said."""
        rows = await self._tx.execute(_ANSWERS, {"run_ids": list(run_ids)})
        return {
            (row.run_id, row.step): Answer(said=row.status, by=row.answered_by, comment=row.comment)
            for row in rows
        }

    async def close(self, run_steps: Collection[RunStep], now: datetime) -> None:
        """Those that nobody has answered have expired."""
        if run_steps:
            run_ids, steps = zip(*sorted(run_steps), strict=True)
            await self._tx.execute(_CLOSE, {"run_ids": list(run_ids), "steps": list(steps), "now": now})

    async def find(self, approval_id: str) -> Approval | None:
        """The question with what was said, or None."""
        row = (await self._tx.execute(_FIND, {"id": approval_id})).one_or_none()
        return None if row is None else approval_of(row)

    async def answer(self, approval: Approval) -> None:
        """Write what was said to it."""
        said = ("id", "status", "answered_at", "answered_by", "comment")
        await self._tx.execute(_ANSWER, {name: getattr(approval, name) for name in said})
