"""What simulations run in: the store in memory, and endpoints that only write down what they are told."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from csm_common.database.outbox import Message
from csm_common.errors import PermanentError, TransientError
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.adapters.memory.state import Version
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.model import Approval, Playbook, Task
from playbooks.application.simulation import Called


class MemorySandbox:
    """Implements simulation.Sandbox."""

    def __init__(self) -> None:
        self.transactions = MemoryDatabase()
        self.reads = MemoryReads(self.transactions.state)
        self._state = self.transactions.state

    def install(self, playbook: Playbook, *, active: bool) -> None:
        """Let runs follow this version; active, it starts them."""
        key = (playbook.name, playbook.version)
        self._state.versions.put(key, Version(playbook=playbook, active=active, origin="simulation"))

    def take_messages(self) -> Sequence[Message]:
        """What was to be published since this was asked last, in order."""
        messages = self._state.messages
        for number in list(self._state.outbox):
            self._state.outbox.drop(number)
        return messages

    def tasks(self) -> Sequence[Task]:
        """All tasks that were opened, whatever became of them."""
        return list(self._state.tasks.values())

    def pending(self) -> tuple[Sequence[Approval], Sequence[Task]]:
        """Questions that nobody has answered, and tasks that nobody has done."""
        return self._state.approvals.find("pending", True), self._state.tasks.find("to_do", True)


class RecordingEndpoints:
    """Implements simulation.PretendedEndpoints. Each endpoint answers as `answers` say, 200 where they say nothing."""

    def __init__(self, answers: Mapping[str, int] | None = None) -> None:
        self.answers = dict(answers or {})
        self.called: list[Called] = []

    def known(self) -> frozenset[str]:
        """Those that answers are given for; any other is known as well."""
        return frozenset(self.answers)

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        """Write it down. TransientError for 429 and 5xx, PermanentError for the rest of what is not 2xx."""
        status = self.answers.get(endpoint, 200)
        told = Called(
            at=at, endpoint=endpoint, message_id=message_id, body=msgspec.json.decode(body), status=status
        )
        self.called.append(told)
        if 200 <= status < 300:
            return status
        if status >= 500 or status == 429:
            raise TransientError(f"{endpoint} answered {status}")
        raise PermanentError(f"{endpoint} answered {status}", code="endpoint_refused")
