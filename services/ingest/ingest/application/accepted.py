"""What becomes of an event that is in order."""

from typing import NamedTuple

import msgspec

from csm_common.database.outbox import Message
from ingest.application.ports import ContactChange

Raw = bytes | msgspec.Raw
"""An event as it came."""

Digest = int
"""A hash of what an event says, but for its time. Of this process only."""


class Accepted(NamedTuple):
    """The fact to publish, and what it tells of a contact. A tuple because one is made per event on the hottest path.

    `digest` is of all that the event says but its time; `late` ones tell of something long past.
    """

    id: str
    source: str
    digest: Digest
    message: Message
    contact: ContactChange | None = None
    late: bool = False


class Repeat(NamedTuple):
    """An event that was taken lately. It is published again: what counts twice is decided behind the log, and not by us."""

    id: str
    source: str
    message: Message
