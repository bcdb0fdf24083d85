"""The table `tasks`: work of people; an account has one open task of a type and reason."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import insert, names_of, parameters
from playbooks.application.model import Task

TASK_COLUMNS = ", ".join(names_of(Task))

# The earlier due date stays: asking again must not put work off. One order, so that no two tickers wait for each other.
_OPEN = text(f"""
{insert("tasks", Task)} ORDER BY account_id, type, reason
ON CONFLICT (account_id, type, reason) WHERE status = 'open'
DO UPDATE SET title = EXCLUDED.title, owner = coalesce(EXCLUDED.owner, tasks.owner),
    due_at = least(tasks.due_at, EXCLUDED.due_at), run_id = EXCLUDED.run_id, updated_at = EXCLUDED.updated_at,
    asked = tasks.asked + 1
RETURNING id, account_id, type, reason
""")

Identity = tuple[str, str, str]
"""What an account can have one open task of."""


class PostgresTasks:
    """Implements ports.Tasks."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Open each task, or update the open one of the same account, type and reason; returns the id each has, by its own."""
        found: dict[str, str] = {}
        for wave in _waves(tasks):
            rows = await self._tx.execute(_OPEN, parameters(list(wave.values()), names_of(Task)))
            ids = {(row.account_id, row.type, row.reason): row.id for row in rows}
            found |= {task.id: ids[identity] for identity, task in wave.items()}
        return found


def _waves(tasks: Iterable[Task]) -> list[dict[Identity, Task]]:
    """The tasks in their order, but no two of the same identity together: one statement cannot touch a row twice."""
    waves: list[dict[Identity, Task]] = []
    for task in tasks:
        identity = (task.account_id, task.type, task.reason)
        wave = next((each for each in waves if identity not in each), None)
        if wave is None:
            waves.append({identity: task})
        else:
            wave[identity] = task
    return waves
