"""Reading messages: each by the reader of its format, then held against all that can be said before its account is known."""

from collections.abc import Mapping
from datetime import datetime

from ingest.application.facts import Facts
from ingest.application.incoming import Incoming, Reader, Received
from ingest.application.settlement import Read
from ingest.domain.decision import Rejected
from ingest.domain.names import name_problem


class Understanding:
    """`readers` by format."""

    def __init__(self, readers: Mapping[str, Reader], facts: Facts) -> None:
        self._readers = readers
        self._facts = facts

    def read(self, received: Received, now: datetime) -> Read:
        """What a message says, and what speaks against it."""
        reader = self._readers.get(received.format)
        if reader is None:
            return Read(received, None, _no_reader(received.format))
        made = reader(received)
        if isinstance(made, Rejected):
            return Read(received, None, made)
        return Read(received, made, name_problem(_names(made)) or self._facts.problem(made, now))


def _names(incoming: Incoming) -> dict[str, str]:
    """The names in a message that the tables know it by, each with what it is called in the message's own words."""
    names = {f"user id {index + 1}": name for index, name in enumerate(incoming.users)}
    told = {"id": incoming.id, "account": incoming.account, "group": incoming.joins}
    return names | {what: name for what, name in told.items() if name is not None}


def _no_reader(format: str) -> Rejected:
    return Rejected(
        "unknown_format",
        f"Nothing reads messages of the format {format} any more: is its webhook still configured?",
    )
