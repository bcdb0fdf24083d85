"""An account out of all tables at once."""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.topics import NOTIFICATION_REQUESTS

# The ticker works on runs it has locked: when all are ours, nobody adds a step, a task or a request behind our back.
_LOCK = text("SELECT id FROM runs WHERE account_id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE")

# In the order of the references between them, the referring ones first.
_DELETE = {
    "steps": text("""
        DELETE FROM run_steps USING runs
        WHERE run_steps.run_id = runs.id AND runs.account_id = ANY(CAST(:ids AS text[]))
    """),
    "notes": text("""
        DELETE FROM task_notes USING tasks
        WHERE task_notes.task_id = tasks.id AND tasks.account_id = ANY(CAST(:ids AS text[]))
    """),
    "tasks": text("DELETE FROM tasks WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "approvals": text("DELETE FROM approvals WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "entries": text("DELETE FROM entries WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "trials": text("DELETE FROM trials WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "runs": text("DELETE FROM runs WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "crossings": text("DELETE FROM crossings WHERE account_id = ANY(CAST(:ids AS text[]))"),
    "audited": text("DELETE FROM audit WHERE account_id = ANY(CAST(:ids AS text[]))"),
}

_DELETE_REQUESTS = text("DELETE FROM outbox WHERE topic = :topic AND key = ANY(CAST(:keys AS bytea[]))")


class PostgresErasures:
    """Implements ports.Erasures."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """Delete their crossings with all that followed, and the requests that have not left yet; how many of each kind."""
        ids = {"ids": sorted(account_ids)}
        await self._tx.execute(_LOCK, ids)
        counts = {kind: (await self._tx.execute(delete, ids)).rowcount for kind, delete in _DELETE.items()}
        keys = [each.encode() for each in account_ids]
        requests = await self._tx.execute(
            _DELETE_REQUESTS, {"topic": NOTIFICATION_REQUESTS.name, "keys": keys}
        )
        return counts | {"requests": requests.rowcount}
