"""The outbox and the audit in memory."""

from collections.abc import Sequence

from csm_common.database.outbox import Message
from playbooks.adapters.memory.state import State
from playbooks.application.model import Audited


class MemoryOutbox:
    """Implements ports.Outbox."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, messages: Sequence[Message]) -> None:
        """Publish them, in this order, once the transaction lasts."""
        for each in messages:
            self._state.outbox.put(next(self._state.numbers), each)


class MemoryAudit:
    """Implements ports.Audit."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, audited: Sequence[Audited]) -> None:
        """Write it down."""
        for each in audited:
            self._state.audit.put(next(self._state.numbers), each)
