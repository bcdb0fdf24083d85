"""What enters the model: one fact about one account, as the consumer read it from the log."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Fact(NamedTuple):
    """One fact. `time` is when it happened, in epoch seconds; `data` is as it was sent and may hold anything.

    A tuple because one is made per event on the hottest path: it costs a third of a frozen dataclass.
    """

    id: str
    type: str
    account_id: str
    time: float
    data: Mapping[str, Any]
    backfill: bool = False
