"""The table `tasks`: work of people; an account has one open task of a type and reason."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import insert, names_of, parameters
from playbooks.application.model import Task

TASK_COLUMNS = ", ".join(names_of(Task))

# The earlier due date stays: asking again must not put work off.
_OPEN = text(f"""
{insert("tasks", Task)}
ON CONFLICT (account_id, type, reason) WHERE status = 'open'
DO UPDATE SET title = EXCLUDED.title, owner = coalesce(EXCLUDED.owner, tasks.owner),
    due_at = least(tasks.due_at, EXCLUDED.due_at), run_id = EXCLUDED.run_id, updated_at = EXCLUDED.updated_at,
    asked = tasks.asked + 1
RETURNING id
""")


class PostgresTasks:
    """Implements ports.Tasks."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def open(self, task: Task) -> str:
        """Open the task, or update the open one of the same account, type and reason; returns the id it has."""
        task_id: str = await self._tx.scalar(_OPEN, parameters([task], names_of(Task)))
        return task_id
