"""Crossings in memory in the order in which they happened."""

from collections.abc import Sequence
from datetime import datetime

from playbooks.adapters.memory.state import State
from playbooks.application.model import ReceivedCrossing


class MemoryPast:
    """Implements simulation_history.Past."""

    def __init__(self, state: State) -> None:
        self._crossings = state.crossings

    async def page(
        self, since: datetime, before: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[ReceivedCrossing]:
        """A page by time and id."""
        rows = {(each.crossing.occurred_at, each.id): each for each in self._crossings.values()}
        wanted = [
            each
            for key, each in sorted(rows.items(), key=lambda item: item[0])
            if since <= key[0] < before and (after is None or key > after)
        ]
        return wanted[:limit]
