"""What the application needs of the outside."""

from collections.abc import Sequence
from typing import Protocol

from csm_common.database.outbox import Message


class Publisher(Protocol):
    """The brokers."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Publish and wait until all are durable or given up: per message None, or a sentence why it is not on the log.

        TransientError when none could be sent.
        """
        ...
