"""What every implementation of ports.Audit must do; run in memory in unit/ and on PostgreSQL in integration/.

It is only written through the port; what was written is read over REST.
"""

from tests.support.clock import START

from playbooks.application.model import Audited
from playbooks.application.ports import Transactions


class AuditContract:
    """Subclass it with a fixture `transactions` over an empty store."""

    async def test_any_number_of_lines_can_be_written(self, transactions: Transactions) -> None:
        lines = [
            Audited(at=START, actor="system", action="started", subject="engine"),
            Audited(
                at=START,
                actor="key:console",
                action="task_completed",
                subject="task:task-1",
                account_id="acme",
                detail={"outcome": "reached", "asked": 2, "owner": None},
            ),
        ]
        async with transactions.begin() as store:
            await store.audit.add([])
            await store.audit.add(lines)
            await store.audit.add(lines[:1])
