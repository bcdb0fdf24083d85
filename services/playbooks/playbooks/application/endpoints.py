"""Calling others: the port that webhook steps go out by."""

from datetime import datetime
from typing import Protocol


class Endpoints(Protocol):
    """The endpoints that playbooks may call, by name."""

    def known(self) -> frozenset[str]:
        """Their names."""
        ...

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        """Post the body, signed, and give the status of a good answer back. The same `message_id` is the same message.

        PermanentError where trying again is of no use, TransientError otherwise.
        """
        ...
