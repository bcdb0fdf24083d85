"""Crossings, and what they meant, in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from playbooks.adapters.memory.state import State
from playbooks.application.model import Entry, ReceivedCrossing


class MemoryCrossings:
    """Implements ports.Crossings."""

    def __init__(self, state: State) -> None:
        self._crossings = state.crossings

    async def remember(self, received: Sequence[ReceivedCrossing], now: datetime) -> list[ReceivedCrossing]:
        """Write down those that are new and return them, in the order given."""
        fresh = []
        for each in received:
            if each.id not in self._crossings:
                self._crossings.put(each.id, each)
                fresh.append(each)
        return fresh

    async def load(self, ids: Collection[str]) -> Mapping[str, ReceivedCrossing]:
        """Crossings by id."""
        return {each: self._crossings[each] for each in ids if each in self._crossings}


class MemoryEntries:
    """Implements ports.Entries."""

    def __init__(self, state: State) -> None:
        self._entries = state.entries

    async def add(self, entries: Sequence[Entry]) -> None:
        """Write them down; ValueError where a crossing was decided for a playbook already."""
        for each in entries:
            if (each.crossing_id, each.playbook) in self._entries:
                raise ValueError(f"crossing {each.crossing_id} was decided for {each.playbook} already")
            self._entries.put((each.crossing_id, each.playbook), each)
