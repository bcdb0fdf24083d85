"""What becomes of an event that is in order."""

from typing import NamedTuple

from csm_common.database.outbox import Message


class Accepted(NamedTuple):
    """The event's id and the records to publish. A tuple because one is made per event on the hottest path."""

    id: str
    messages: tuple[Message, ...]
