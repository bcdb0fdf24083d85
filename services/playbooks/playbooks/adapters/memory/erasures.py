"""An account out of all tables in memory."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from csm_common.contracts.topics import NOTIFICATION_REQUESTS
from csm_common.database.outbox import Message
from playbooks.adapters.memory.state import State
from playbooks.adapters.memory.tables import Table


class MemoryErasures:
    """Implements ports.Erasures."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """Delete their crossings with all that followed, and the requests that have not left yet; how many of each kind."""
        state = self._state
        runs = {run.id for account in set(account_ids) for run in state.runs.find("account", account)}
        keys = {each.encode() for each in account_ids}

        def mine(row: Any) -> bool:
            return row.account_id in account_ids

        def request(message: Message) -> bool:
            return message.topic == NOTIFICATION_REQUESTS.name and message.key in keys

        return {
            "steps": _drop(state.results, lambda each: each.run_id in runs),
            "notes": _drop(state.notes, lambda each: state.tasks[each.task_id].account_id in account_ids),
            "tasks": _drop(state.tasks, mine),
            "approvals": _drop(state.approvals, mine),
            "trials": _drop(state.trials, mine),
            "entries": _drop(state.entries, mine),
            "runs": _drop(state.runs, mine),
            "crossings": _drop(state.crossings, lambda each: each.crossing.account_id in account_ids),
            "audited": _drop(state.audit, mine),
            "requests": _drop(state.outbox, request),
        }


def _drop(table: Table[Any, Any], goes: Callable[[Any], bool]) -> int:
    gone = [key for key, row in table.items() if goes(row)]
    for key in gone:
        table.drop(key)
    return len(gone)
